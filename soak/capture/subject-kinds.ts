import { lmdb, sharedMapping, sqlite } from './embedded.ts';
import { mariadb } from './mariadb.ts';
import { postgres } from './postgres.ts';
import { rowAndFile } from './row-and-file.ts';
import type { SubjectKind } from './subject.ts';

export const subjectKinds: readonly SubjectKind[] = [
  postgres,
  mariadb,
  sqlite,
  lmdb,
  sharedMapping,
  rowAndFile,
];
