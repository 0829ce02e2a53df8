import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A source file fits a reader's head; tests and generated files may be longer. */
const lineLimit = 500;
/** `packages/base` is what every other package stands on: it stays small. */
const baseLineLimit = 500;

const sources = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((path) => path !== '' && !path.endsWith('.test.ts') && !path.includes('/testing/'));

const sizes = sources.map((path) => ({ path, lines: readFileSync(path, 'utf8').split('\n').length - 1 }));
const tooLong = sizes.filter(({ lines }) => lines > lineLimit);
const baseLines = sizes
  .filter(({ path }) => path.startsWith('packages/base/src/'))
  .reduce((total, { lines }) => total + lines, 0);

for (const { path, lines } of tooLong)
  process.stderr.write(`${path}: ${lines} lines, at most ${lineLimit}\n`);
if (baseLines > baseLineLimit) {
  process.stderr.write(`packages/base: ${baseLines} lines, at most ${baseLineLimit}\n`);
}
process.exitCode = tooLong.length > 0 || baseLines > baseLineLimit ? 1 : 0;
