/**
 * Runs in a container, before the command that it is given: looks at the clock every millisecond or two and tells on
 * standard output when it ran (`beat start TIME`, `beat end TIME`) and when it did not (`beat gap FROM TO`).
 * Times are milliseconds since the Unix epoch.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const everyMs = 2;
/** What the system's scheduling costs is no news. */
const leastGapMs = 8;

const now = (): number => performance.timeOrigin + performance.now();
const tell = (line: string): void => {
  process.stdout.write(`beat ${line}\n`);
};

let last = now();
tell(`start ${last.toFixed(2)}`);
setInterval(() => {
  const time = now();
  if (time - last >= leastGapMs) tell(`gap ${last.toFixed(2)} ${time.toFixed(2)}`);
  last = time;
}, everyMs);

const [program, ...args] = process.argv.slice(2);
const child = program === undefined ? undefined : spawn(program, args, { stdio: 'inherit' });
child?.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child?.on('exit', (status, signal) => end(signal === null ? (status ?? 1) : 128 + constants.signals[signal]));

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (child === undefined) end(0);
    else child.kill(name);
  });
}

function end(status: number): void {
  tell(`end ${now().toFixed(2)}`);
  process.exit(status);
}
