import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '@holdfast/base';
import { loadConfig, startServer } from '@holdfast/server';

/** The server, as `holdfast server` runs it, by a clock that is ahead of the machine's by what a file says, in milliseconds. */
const [file = ''] = process.argv.slice(2);
const rereadAfterMs = 20;
let aheadMs = 0;
let readAtMs = Number.NEGATIVE_INFINITY;

function ahead(): number {
  if (performance.now() - readAtMs > rereadAfterMs) {
    aheadMs = Number(readFileSync(file, 'utf8'));
    readAtMs = performance.now();
  }
  return aheadMs;
}

const clock: Clock = {
  now: () => systemClock.now() + ahead(),
  elapsed: () => systemClock.elapsed() + ahead(),
};

const config = await loadConfig({
  flags: {},
  environment: process.env,
  isRoot: process.getuid?.() === 0,
  workingDirectory: process.cwd(),
});
{
  await using server = await startServer(config, { clock, schedulesEveryMs: 250 });
  process.stderr.write(`Listens on ${server.url}.\n`);
  await new Promise((resolve) => process.once('SIGTERM', resolve));
}
process.exit(0);
