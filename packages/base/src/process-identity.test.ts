import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
  // The shell never waits for its child: that stays a zombie for as long as the shell runs.
  const shell = spawn('bash', ['-c', 'true & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  while (!isZombie(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  const exited = once(shell, 'exit');
  shell.kill('SIGKILL');
  await exited;
});
