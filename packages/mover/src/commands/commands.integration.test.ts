import { openTestEngine, type TestEngine } from '@holdfast/docker/testing';
import { type StockRestic, stockRestics } from '@holdfast/engine/testing';
import { type BackupTask, type Manifest, manifestSchema } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartedMover } from '../testing/started-mover.ts';
import { recoveryPassword, type TestPlace, testPlace } from '../testing/task-specs.ts';

let engine: TestEngine;
let restics: readonly StockRestic[];
let container: string;

beforeAll(async () => {
  engine = await openTestEngine();
  restics = await stockRestics();
  container = await engine.run();
});

afterAll(() => engine?.[Symbol.asyncDispose]());

function inContainer(command: string, timeoutMs = 60_000) {
  return { dockerHost: engine.host, containerId: container, containerName: 'db-1', command, timeoutMs };
}

function backupBy(
  place: TestPlace,
  command: string,
  changes: Partial<BackupTask['commands'][number]> = {},
): StartedMover {
  const task = place.backup([], {
    commands: [
      {
        ...inContainer(command),
        name: 'db:command',
        source: { kind: 'command', component: 'db' },
        mountPoints: [],
        endPattern: null,
        ...changes,
      },
    ],
  });
  return new StartedMover({ ...task, manifest: { ...task.manifest, mode: 'live' } });
}

async function complete(mover: StartedMover): Promise<Manifest> {
  const { outcome, error } = await mover.runThrough();
  expect({ outcome, error }).toEqual({ outcome: 'done', error: null });
  return manifestSchema.parse((await mover.sees('committed')).manifest);
}

function logOf(mover: StartedMover): string {
  return mover.events.flatMap((event) => (event.type === 'log' ? [event.line.message] : [])).join('\n');
}

async function inEngine(command: string): Promise<string> {
  const session = await engine.docker.containers.exec(container, {
    command: ['sh', '-c', command],
    timeoutMs: 60_000,
  });
  session.stderr.resume();
  session.stdin.end();
  let output = '';
  for await (const piece of session.stdout) output += String(piece);
  return output.trim();
}

const processes = 'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline; echo; done';

describe('a backup by command', () => {
  test('is what the command prints; stock restic gives it back; its log is kept', async () => {
    await using place = await testPlace();
    const mover = backupBy(place, 'echo "begun" >&2; seq 1 200000; echo "done" >&2');
    const manifest = await complete(mover);
    const [part] = manifest.parts;
    expect(part).toMatchObject({
      name: 'db:command',
      files: 1,
      source: { kind: 'command', component: 'db' },
    });
    const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join('');
    expect(part?.bytes).toBe(expected.length);
    for (const restic of restics) {
      const dumped = await restic.run(
        place.repository,
        recoveryPassword,
        'dump',
        part?.snapshotId ?? '',
        '/data',
      );
      expect(dumped === expected).toBe(true);
      await restic.run(place.repository, recoveryPassword, 'check', '--read-data');
    }
    const log = manifest.log.map(({ message }) => message).join('\n');
    expect(log).toMatch(/ended with status 0 after [\d.]+ s; 1288895 bytes/);
    expect(log).toContain('db:command | begun');
    expect(log).toContain('db:command | done');
  });

  test.each([
    {
      what: 'a status that is not 0',
      command: 'echo half of it; echo "disk is on fire" >&2; exit 3',
      code: 'command-failed',
      says: 'disk is on fire',
    },
    {
      what: 'the reason on standard output',
      command: 'printf "\\033[31mno such database\\n"; exit 1',
      code: 'command-failed',
      says: 'no such database',
    },
    {
      what: 'a signal',
      command: 'echo half of it; kill -SEGV $$',
      code: 'command-failed',
      says: 'signal 11',
    },
    { what: 'no output', command: 'true', code: 'command-output-empty', says: '' },
    { what: 'no end mark', command: 'echo half of it', code: 'command-output-incomplete', says: '' },
    { what: 'an unknown program', command: 'no-such-dump', code: 'command-failed', says: 'not found' },
    {
      what: 'a process that it leaves behind',
      command: 'echo output; sleep 771 &',
      code: 'command-left-running',
      says: '',
    },
  ])('fails with $what, and leaves no backup', async ({ command, code, says }) => {
    await using place = await testPlace();
    const mover = backupBy(place, command, { endPattern: '\n-- complete\n$' });
    const { outcome, error } = await mover.runThrough();
    expect({ outcome, code: error?.code }).toEqual({ outcome: 'failed', code });
    expect(`${error?.message}\n${logOf(mover)}`).toContain(says);
    expect(logOf(mover)).not.toContain('\u001b');
    const [restic] = restics;
    expect(
      JSON.parse((await restic?.run(place.repository, recoveryPassword, 'snapshots', '--json')) ?? ''),
    ).toEqual([]);
    expect(await inEngine(processes)).not.toContain('sleep 771');
  });

  test('that prints binary garbage and fails is told without it', async () => {
    await using place = await testPlace();
    const mover = backupBy(place, 'head -c 100000 /dev/urandom; exit 1');
    const { error } = await mover.runThrough();
    expect(error).toMatchObject({
      code: 'command-failed',
      message: 'The backup command of db:command ended with status 1',
    });
  });

  test('that takes too long is killed', async () => {
    await using place = await testPlace();
    const mover = backupBy(place, 'echo begun; sleep 772', { timeoutMs: 700 });
    const { outcome, error } = await mover.runThrough();
    expect({ outcome, code: error?.code }).toEqual({ outcome: 'failed', code: 'command-timeout' });
    expect(await inEngine(processes)).not.toContain('sleep 772');
  });

  test('that never ends is killed when it is cancelled', async () => {
    await using place = await testPlace();
    const mover = backupBy(place, 'while :; do echo on and on; touch /tmp/on; sleep 0.1; done');
    mover.send({ type: 'go' });
    await inEngine('until [ -e /tmp/on ]; do sleep 0.1; done');
    mover.send({ type: 'cancel' });
    expect((await mover.sees('result')).outcome).toBe('cancelled');
    expect(await inEngine(processes)).not.toContain('on and on');
  });

  test('whose mover was killed is ended by the next one', async () => {
    await using place = await testPlace();
    const mover = backupBy(place, 'echo "$0" >/tmp/left; sleep 773');
    mover.send({ type: 'go' });
    await inEngine('until [ -s /tmp/left ]; do sleep 0.1; done; rm /tmp/left');
    mover.child.kill('SIGKILL');
    await mover.exited;
    expect(await inEngine(processes)).toContain('sleep 773');
    const next = backupBy(place, 'echo all');
    expect((await next.runThrough()).outcome).toBe('warnings');
    expect(logOf(next)).toContain('1 commands of an earlier run');
    expect(await inEngine(processes)).not.toContain('sleep 773');
  });
});

describe('a restore by command', () => {
  async function backedUp(place: TestPlace, command = 'seq 1 200000'): Promise<Manifest> {
    return await complete(backupBy(place, command));
  }

  test('gives the command all that was printed', async () => {
    await using place = await testPlace();
    const manifest = await backedUp(place);
    const mover = new StartedMover(
      place.feed(manifest, inContainer('cat >/tmp/taken; echo taken; echo well >&2')),
    );
    expect((await mover.runThrough()).outcome).toBe('done');
    expect(await inEngine('seq 1 200000 | cmp - /tmp/taken && echo same')).toBe('same');
    expect(logOf(mover)).toMatch(/ended with status 0 after/);
    expect(logOf(mover)).toContain('db:command | taken');
    expect(logOf(mover)).toContain('db:command | well');
  });

  test('runs nothing before it is told to', async () => {
    await using place = await testPlace();
    const manifest = await backedUp(place);
    const mover = new StartedMover(place.feed(manifest, inContainer('touch /tmp/ran')));
    await mover.reach('sealed');
    mover.closeInput();
    expect((await mover.sees('result')).error?.code).toBe('server-lost');
    expect(await inEngine('ls /tmp')).not.toContain('ran');
  });

  test('fails with the reason when the command does', async () => {
    await using place = await testPlace();
    const manifest = await backedUp(place);
    const mover = new StartedMover(
      place.feed(manifest, inContainer('head -c 10 >/dev/null; echo "it is read-only" >&2; exit 2')),
    );
    const { outcome, error } = await mover.runThrough();
    expect({ outcome, code: error?.code }).toEqual({ outcome: 'failed', code: 'command-failed' });
    expect(error?.message).toContain('it is read-only');
  });

  test('that is cancelled kills the command before its input ends', async () => {
    await using place = await testPlace();
    const manifest = await backedUp(place);
    const command =
      'head -c 100 >/dev/null; touch /tmp/feeding; sleep 774; cat >/dev/null; touch /tmp/for-all';
    const mover = new StartedMover(place.feed(manifest, inContainer(command)));
    await mover.reach('sealed');
    mover.send({ type: 'commit' });
    await inEngine('until [ -e /tmp/feeding ]; do sleep 0.1; done');
    mover.send({ type: 'cancel' });
    expect((await mover.sees('result')).outcome).toBe('cancelled');
    expect(await inEngine('ls /tmp')).not.toContain('for-all');
    expect(await inEngine(processes)).not.toContain('sleep 774');
  });

  test('whose mover is killed leaves a command that never sees the end', async () => {
    await using place = await testPlace();
    const manifest = await backedUp(place, 'head -c 30000000 /dev/urandom');
    const command = 'head -c 100 >/dev/null; touch /tmp/half; sleep 1; cat >/dev/null; touch /tmp/for-all';
    const mover = new StartedMover(place.feed(manifest, inContainer(command)));
    await mover.reach('sealed');
    mover.send({ type: 'commit' });
    await inEngine('until [ -e /tmp/half ]; do sleep 0.05; done');
    mover.child.kill('SIGKILL');
    await mover.exited;
    expect(await inEngine('sleep 2; ls /tmp')).not.toContain('for-all');
    const next = new StartedMover(place.feed(manifest, inContainer('cat >/dev/null')));
    expect((await next.runThrough()).outcome).toBe('warnings');
    expect(await inEngine(`ls /tmp; ${processes}`)).not.toContain('for-all');
  });
});
