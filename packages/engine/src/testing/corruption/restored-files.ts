import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface RestoredFiles {
  /** As they were. */
  readonly right: number;
  /** Relative paths of files with other contents, or that were not there. */
  readonly wrong: readonly string[];
  /** Relative paths of files that are not there. */
  readonly missing: readonly string[];
}

/** Compares what was restored with its source, file by file. What a restore left unfinished is hidden, and not looked at. */
export function compareFiles(source: string, restored: string): RestoredFiles {
  const sourceFiles = filesIn(source);
  const restoredFiles = new Set(filesIn(restored).filter((path) => !path.includes('.holdfast-restore-')));
  const wrong: string[] = [];
  const missing: string[] = [];
  let right = 0;
  for (const path of sourceFiles) {
    if (!restoredFiles.delete(path)) missing.push(path);
    else if (readFileSync(join(source, path)).equals(readFileSync(join(restored, path)))) right += 1;
    else wrong.push(path);
  }
  return { right, wrong: [...wrong, ...restoredFiles], missing };
}

function filesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(path, name)).isFile(),
  );
}
