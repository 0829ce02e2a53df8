import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isSameProcess, isZombie, ownProcessIdentity } from './process-identity.ts';

it('knows this process, and none with another start or boot', () => {
  const own = ownProcessIdentity();
  expect(own.pid).toBe(process.pid);
  expect(isSameProcess(own)).toBe(true);
  expect(isSameProcess({ ...own, startTicks: '1' })).toBe(false);
  expect(isSameProcess({ ...own, bootId: 'another' })).toBe(false);
});

it('knows when a process has ended', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isSameProcess({ ...ownProcessIdentity(), pid })).toBe(false);
});

it('tells a process that nobody has waited for from one that runs', async () => {
  expect(isZombie(process.pid)).toBe(false);
  // The child ends only once the shell has become `sleep`, which never waits for it: bash itself would.
  const shell = spawn('bash', ['-c', 'cat <&0 & echo $!; exec sleep 60'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  while (readFileSync(`/proc/${shell.pid}/comm`, 'latin1') !== 'sleep\n') await pause();
  shell.stdin.end();
  while (!isZombie(pid)) await pause();
  const exited = once(shell, 'exit');
  shell.kill('SIGKILL');
  await exited;
});
