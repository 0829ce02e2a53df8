import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBackend } from '../backend/open-backend.ts';
import { checkRepository } from '../maintenance/check.ts';
import { type ProcessEnd, runProcess } from '../testing/crash/run-victim.ts';
import { isInFirstPidNamespace } from '../testing/pid-namespace.ts';
import { quickRuntime } from '../testing/quick-runtime.ts';
import { stockRestics } from '../testing/stock-restic.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { initRepository } from './init-repository.ts';
import type { Repository } from './repository.ts';

const password = 'side by side';
const writerPath = join(import.meta.dirname, '../testing/steady-writer.ts');
const holdfastPath = join(import.meta.dirname, '../../../../bin/holdfast');
const newNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const otherHost = [...newNamespace, '--uts', 'sh', '-c', 'hostname elsewhere && exec "$0" "$@"'];
const statusOfLocked = 11;

const [restic] = (await stockRestics()).slice(-1);
if (restic === undefined) throw new Error('There is no stock restic.');
const stock = restic.program;

let place: TemporaryDirectory;
let path: string;
let repository: Repository;
const children: ChildProcessWithoutNullStreams[] = [];

beforeEach(async () => {
  place = await temporaryDirectory();
  path = join(place.path, 'repository');
  repository = await initRepository({
    backend: openBackend(path),
    passwords: [password],
    runtime: quickRuntime(),
  });
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  }
  await place[Symbol.asyncDispose]();
});

describe(`a writer beside unlock and prune of ${restic.version}`, () => {
  it('goes on and loses nothing, in the same pid namespace', async () => {
    const writer = await startWriter();
    expect(await runStock([], 'unlock')).toMatchObject({ status: 0 });
    expect(await runStock([], 'prune')).toMatchObject({ status: statusOfLocked });
    await expectWhole(await writer.finish());
  });

  it('goes on and loses nothing, when restic is on another host', async () => {
    const writer = await startWriter();
    expect(await runStock(otherHost, 'unlock')).toMatchObject({ status: 0 });
    expect(await runStock(otherHost, 'prune')).toMatchObject({ status: statusOfLocked });
    await expectWhole(await writer.finish());
  });

  it('goes on and loses nothing, when it is in another pid namespace of the same host itself', async () => {
    const writer = await startWriter(newNamespace);
    expect(await runStock([], 'unlock')).toMatchObject({ status: 0 });
    expect(await runStock([], 'prune')).toMatchObject({ status: statusOfLocked });
    await expectWhole(await writer.finish());
  });

  // Outside the first namespace our locks bear another name than the host's, and restic leaves them alone.
  it.runIf(isInFirstPidNamespace)(
    'commits nothing, when restic is in another pid namespace of the same host and finds no such process',
    async () => {
      await using other = await repository.lock('shared');
      await other.release();
      const writer = await startWriter();
      expect(await runStock(newNamespace, 'unlock')).toMatchObject({ status: 0 });
      expect(await runStock(newNamespace, 'prune')).toMatchObject({ status: 0 });
      expect(await writer.finish()).toBe('repository-lock-lost');
      expect((await repository.snapshots.list()).snapshots).toEqual([]);
      await expectSound();
    },
  );

  it('is repository:backup too', async () => {
    const backup = start(holdfastPath, ['repository:backup', '--stdin', '-r', path]);
    backup.stdin.write('begun');
    await lockFile();
    expect(await runStock([], 'unlock')).toMatchObject({ status: 0 });
    expect(await runStock([], 'prune')).toMatchObject({ status: statusOfLocked });
    backup.stdin.end(' and ended');
    const [status] = await once(backup, 'close');
    expect(status).toBe(0);
    expect((await repository.snapshots.list()).snapshots).toHaveLength(1);
    await expectSound();
  });
});

describe(`locks of ours and of ${restic.version}`, () => {
  it('let backups run side by side, and nothing prune meanwhile', async () => {
    const theirs = start(stock, ['-r', path, '--no-cache', 'backup', '--stdin']);
    theirs.stdin.write('theirs');
    await lockFile();
    await using lock = await repository.lock('shared');
    await expect(repository.lock('exclusive')).rejects.toMatchObject({ code: 'repository-locked' });
    const prune = await run(holdfastPath, ['repository:prune', '--yes', '-r', path]);
    expect(prune).toMatchObject({ status: 6, errors: expect.stringContaining('repository-locked') });
    const forget = await run(holdfastPath, [
      'repository:forget',
      '--prune',
      '--yes',
      '-r',
      path,
      '--keep-last',
      '1',
    ]);
    expect(forget).toMatchObject({ status: 6, errors: expect.stringContaining('repository-locked') });
    theirs.stdin.end();
    expect((await once(theirs, 'close'))[0]).toBe(0);

    expect(await runStock([], 'prune')).toMatchObject({ status: statusOfLocked });
    expect(await runStock([], 'forget', '--prune', 'latest')).toMatchObject({ status: statusOfLocked });
    await lock.release();
    expect(await runStock([], 'prune')).toMatchObject({ status: 0 });
    await expectSound();
  });

  it('keep backups out while one of either prunes', async () => {
    await using lock = await repository.lock('exclusive');
    expect(await runStock([], 'backup', '--no-scan', writerPath)).toMatchObject({ status: statusOfLocked });
    const backup = await run(holdfastPath, ['repository:backup', '-r', path, writerPath]);
    expect(backup).toMatchObject({ status: 6, errors: expect.stringContaining('repository-locked') });
    await lock.release();
  });

  it('keep our backup out while restic has an exclusive one', async () => {
    await using lock = await repository.lock('shared');
    expect(await runStock([], 'backup', '--no-scan', writerPath)).toMatchObject({ status: 0 });
    await lock.release();
    // A check is alone in the repository, and this one takes long.
    const theirs = start(stock, ['-r', path, '--no-cache', '--limit-download', '1', 'check', '--read-data']);
    await lockFile();
    const backup = ['repository:backup', '-r', path, writerPath];
    const refused = await run(holdfastPath, backup);
    expect(refused).toMatchObject({ status: 6, errors: expect.stringContaining('repository-locked') });
    expect(refused.errors).toContain(String(theirs.pid));
    theirs.kill('SIGINT');
    await once(theirs, 'close');
    expect(await run(holdfastPath, backup)).toMatchObject({ status: 0 });
  });

  it('of a restic that was killed do not keep us out', async () => {
    const theirs = start(stock, ['-r', path, '--no-cache', 'backup', '--stdin']);
    theirs.stdin.write('theirs');
    await lockFile();
    theirs.kill('SIGKILL');
    await once(theirs, 'close');
    expect(await run(holdfastPath, ['repository:prune', '--yes', '-r', path])).toMatchObject({ status: 0 });
    expect(await Array.fromAsync(repository.storage.backend.list('lock'))).toEqual([]);
  });
});

interface Writer {
  /** What it says at its end: the id of its snapshot, or a code. */
  finish(): Promise<string>;
}

async function startWriter(within: readonly string[] = []): Promise<Writer> {
  const [program = process.execPath, ...args] = [...within, process.execPath, writerPath, path, password];
  const child = start(program, args);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child.stdout, 'data');
  expect(output).toBe('packed\n');
  return {
    finish: async () => {
      child.stdin.end('finish\n');
      await once(child, 'close');
      return output.split('\n').at(-2) ?? '';
    },
  };
}

function start(program: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(program, args, { env: { ...process.env, RESTIC_PASSWORD: password } });
  child.stdin.on('error', () => {});
  child.stdout.resume();
  child.stderr.resume();
  children.push(child);
  return child;
}

async function run(program: string, args: readonly string[]): Promise<ProcessEnd> {
  return await runProcess(program, args, { env: { RESTIC_PASSWORD: password } });
}

async function runStock(within: readonly string[], ...words: readonly string[]): Promise<ProcessEnd> {
  const [program = stock, ...args] = [...within, stock, '--no-cache', '-r', path, ...words];
  return await run(program, args);
}

/** Waits for a lock, and until its holder has looked whether others have one. */
async function lockFile(): Promise<void> {
  const { backend } = repository.storage;
  while ((await Array.fromAsync(backend.list('lock'))).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}

async function expectWhole(snapshotId: string): Promise<void> {
  expect((await repository.snapshots.list()).snapshots.map(({ id }) => id)).toEqual([snapshotId]);
  await expectSound();
}

async function expectSound(): Promise<void> {
  expect(await runStock([], 'check', '--read-data')).toMatchObject({ status: 0 });
  const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
}
