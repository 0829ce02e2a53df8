import { execFileSync } from 'node:child_process';

/** Which code was measured. */
export interface Commit {
  readonly commit: string;
  /** True if files differ from that commit: then nobody can have the same code again. */
  readonly dirty: boolean;
}

const root = new URL('../..', import.meta.url);
/** Measuring writes these itself. */
const resultsFolder = 'bench/results/';

export function readCommit(): Commit {
  const changes = git(
    'status',
    '--porcelain',
    '--untracked-files=all',
    '--',
    '.',
    `:(exclude)${resultsFolder}`,
  );
  return { commit: git('rev-parse', 'HEAD'), dirty: changes !== '' };
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}
