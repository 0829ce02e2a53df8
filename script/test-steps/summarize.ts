/**
 * Ends a test run: `summarize.ts REPORT STATUS` prints `N passed, N failed, N skipped` for vitest's JSON report and
 * exits 0 only if tests ran, all of them passed, and vitest itself ended well.
 */
import { readFileSync } from 'node:fs';
import { type Counts, countTests } from './count-tests.ts';

const [report = '', vitestStatus = '1'] = process.argv.slice(2);
const areSkippedAllowed = process.env.CI !== 'true';

function readCounts(): Counts {
  try {
    return countTests(JSON.parse(readFileSync(report, 'utf8')));
  } catch (error) {
    process.stderr.write(`test: there is no report of the tests: ${error}\n`);
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

const { passed, failed, skipped } = readCounts();
const isGood = vitestStatus === '0' && failed === 0 && passed > 0 && (skipped === 0 || areSkippedAllowed);
if (vitestStatus !== '0' && failed === 0) process.stderr.write(`test: vitest ended with ${vitestStatus}\n`);
if (skipped > 0 && !areSkippedAllowed) process.stderr.write('test: in CI no test may be skipped\n');
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = isGood ? 0 : 1;
