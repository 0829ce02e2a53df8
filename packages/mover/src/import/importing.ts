import type { ImportTask } from '@holdfast/protocol';
import type { WritingBackup } from '../capture/part.ts';
import type { TakenSource } from './take-source.ts';

/** What is being made of a source, and where it is written to. */
export interface Importing {
  readonly task: ImportTask;
  readonly source: TakenSource;
  readonly writing: WritingBackup;
}
