import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Priority } from './priority.ts';

const source = fileURLToPath(new URL('priority.ts', import.meta.url));

/** What the kernel says of all threads of a process that did so, of which one began afterwards: `nice`, and the way to storage. */
function after(...priorities: readonly Priority[]): { readonly nice: Set<string>; readonly io: Set<string> } {
  const program = `
    import { execFileSync } from 'node:child_process';
    import { readdirSync, readFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { setPriority } from ${JSON.stringify(source)};
    for (const priority of ${JSON.stringify(priorities)}) setPriority(priority);
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await new Promise((resolve) => worker.once('online', resolve));
    const threads = readdirSync('/proc/self/task');
    const nice = threads.map((id) => readFileSync('/proc/self/task/' + id + '/stat', 'utf8').split(') ')[1].split(' ')[16]);
    const io = execFileSync('ionice', ['-p', ...threads], { encoding: 'utf8' }).trim().split('\\n');
    console.log(JSON.stringify({ nice, io }));
    await worker.terminate();`;
  const told = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  const { nice, io } = JSON.parse(told) as { nice: string[]; io: string[] };
  return { nice: new Set(nice), io: new Set(io) };
}

test('in the background, every thread stands behind all others, for processor and storage', () => {
  expect(after('background')).toEqual({ nice: new Set(['15']), io: new Set(['best-effort: prio 7']) });
});

test.runIf(process.getuid?.() === 0)('and it comes back to where it was', () => {
  const usual = after();
  expect(usual.nice).toEqual(new Set(['0']));
  expect(after('background', 'normal')).toEqual(usual);
});
