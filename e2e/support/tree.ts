import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** All of a path that a restore has to put back, one line an entry. */
export function treeOf(path: string): string[] {
  const stat = lstatSync(path, { bigint: true });
  const facts = [stat.mode.toString(8), stat.uid, stat.gid];
  if (stat.isSymbolicLink()) return [`${path} ${facts.join(' ')} -> ${readlinkSync(path)}`];
  const line = `${path} ${facts.join(' ')} ${stat.mtimeNs}`;
  if (stat.isFile()) {
    return [`${line} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`];
  }
  if (!stat.isDirectory()) return [`${line} ${stat.rdev}`];
  const names = readdirSync(path).sort();
  return [line, ...names.flatMap((name) => treeOf(join(path, name)))];
}
