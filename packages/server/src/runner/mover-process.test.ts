import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { ownProcessIdentity, type ProcessIdentity } from '@holdfast/base';
import { expect, test } from 'vitest';
import { killProcess, waitForEnd } from './mover-process.ts';

async function startSleeper(seconds = '60') {
  const child = spawn('sleep', [seconds], { stdio: 'ignore' });
  await once(child, 'spawn');
  return { child, identity: await identityOf(child.pid ?? 0) };
}

async function identityOf(pid: number): Promise<ProcessIdentity> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return {
    ...ownProcessIdentity(),
    pid,
    startTicks: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '',
  };
}

test('killing ends the very process, and nothing else that has its pid', async () => {
  const { child, identity } = await startSleeper();
  await killProcess({ ...identity, startTicks: '1' });
  expect(child.exitCode).toBeNull();
  const exited = once(child, 'exit');
  await killProcess(identity);
  expect(await exited).toEqual([null, 'SIGKILL']);
});

test('a process that has ended but was not waited for counts as ended', async () => {
  // The shell never waits for its child: that stays a zombie for as long as the shell runs.
  const shell = spawn('bash', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [text] = await once(shell.stdout, 'data');
  const identity = await identityOf(Number(String(text)));
  await waitForEnd(identity);
  expect(await readFile(`/proc/${identity.pid}/stat`, 'latin1')).toContain(') Z ');
  shell.kill('SIGKILL');
  await once(shell, 'exit');
});

test('waiting for an end stops when it is told to', async () => {
  const { child, identity } = await startSleeper();
  await expect(waitForEnd(identity, { signal: AbortSignal.timeout(150) })).rejects.toMatchObject({
    code: 'interrupted',
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
});
