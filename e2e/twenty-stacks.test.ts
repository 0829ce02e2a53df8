import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bucket } from './support/bucket.ts';
import { MessageReceiver } from './support/message-receiver.ts';
import { dayMs, eachOf, hourMs, minuteMs, mostAtOnce, Night } from './support/night.ts';
import { restic } from './support/restic.ts';

/** Nights of a small host, by a clock that is put forward: real stacks, real backups to a real bucket. In order. */
let bucket: Bucket;
let receiver: MessageReceiver;
let night: Night;
/** Two that had a backup the night before, and keep each for a day; the first one fails from then on. */
let failing: string;
let twin: string;
let others: readonly string[];
let lastGood: string;

beforeAll(async () => {
  bucket = await Bucket.make();
  receiver = await MessageReceiver.open();
  night = await Night.begin();
  const { holdfast } = night;
  const key = ['--key-id', bucket.key.id, '--key-secret-file', bucket.key.file];
  await holdfast.mustRun(['vault:add', 'cloud', '--s3', `${bucket.place}/night`, ...key, '--default']);
  await holdfast.mustRun([
    ...['notification:add', 'ops', '--kind', 'webhook', '--url', receiver.url, '--allow-private'],
  ]);
});

afterAll(async () => {
  await night?.[Symbol.asyncDispose]();
  await receiver?.[Symbol.asyncDispose]();
  await bucket?.[Symbol.asyncDispose]();
});

const readyOf = async (environment: string) =>
  (await night.backups(environment)).filter(({ status }) => status === 'ready');

const failedOf = async (environment: string) =>
  (await night.backups(environment)).filter(({ status }) => status === 'failed');

it('the night before: two stacks, each backup kept for a day', async () => {
  [failing = '', twin = ''] = await night.addStacks(2);
  for (const name of [failing, twin]) {
    const policy = ['--every-day', '--hours', '2', '--retention', '24h'];
    await night.holdfast.mustRun(['schedule:set', name, ...policy]);
  }
  await night.until('both are backed up', async () => {
    return (await readyOf(failing)).length === 1 && (await readyOf(twin)).length === 1;
  });
  const [good] = await readyOf(failing);
  lastGood = good?.id ?? '';
  expect(good?.createdAtMs).toBeLessThan(night.beginMs + 3 * hourMs);
});

it('one night of twenty: all are there, no more than two at once, and the server stays small', async () => {
  others = await night.addStacks(18);
  await night.breakStack(failing, true);
  night.setTo(night.beginMs + dayMs);
  const { beginMs } = night;
  const movers: number[] = [];
  const sampling = setInterval(() => movers.push(night.holdfast.moverPids().length), 200);
  try {
    await night.until('all are backed up, and the one that fails is given up', async () => {
      const backups = await night.backups();
      const has = (name: string): boolean =>
        backups.some(
          ({ environmentName, status, createdAtMs }) =>
            environmentName === name && status === 'ready' && createdAtMs > beginMs,
        );
      const failed = backups.filter(({ status }) => status === 'failed');
      return failed.length === 4 && [twin, ...others].every(has);
    });
  } finally {
    clearInterval(sampling);
  }
  const jobs = await night.jobs();
  const untold = jobs.filter(({ environmentName, state }) => environmentName !== failing && state !== 'done');
  expect(untold).toEqual([]);
  expect(mostAtOnce(jobs)).toBe(2);
  expect(Math.max(...movers)).toBeLessThanOrEqual(2);
  for (const name of others) {
    const [backup, ...more] = await readyOf(name);
    expect(more).toEqual([]);
    // Spread over the hours from one to five, and begun soon after they were due.
    expect(backup?.createdAtMs).toBeGreaterThanOrEqual(beginMs + 30 * minuteMs);
    expect(backup?.createdAtMs).toBeLessThan(beginMs + 5 * hourMs);
    expect(backup).toMatchObject({ kind: 'automated', mode: 'consistent' });
  }
  expect(night.serverPeakMiB()).toBeLessThan(200);
});

it('of what failed four times exactly one message came, and its last good backup outlives its rules', async () => {
  const { holdfast } = night;
  expect(await failedOf(failing)).toHaveLength(4);
  expect(await receiver.events()).toEqual([`backup.failed of ${failing}`]);
  await night.until('the rule takes what is over from the one that succeeds', async () => {
    const ready = await readyOf(twin);
    return ready.length === 1 && ready.every(({ createdAtMs }) => createdAtMs > night.beginMs);
  });
  const client = holdfast.client();
  const explained = await client.call('policy.explain', { params: { environment: failing }, query: {} });
  const kept = explained.backups.find(({ id }) => id === lastGood);
  expect(kept).toMatchObject({ status: 'ready', removedBy: null });
  expect(kept?.keptBy.join()).toContain('last good');
});

it('the next night it fails again: nothing more is told of that, until it is two days', async () => {
  const client = night.holdfast.client();
  // What the others do is known.
  for (const environment of [twin, ...others]) {
    await client.call('schedule.set', {
      params: { environment },
      body: { backup_policy: { enabled: false } },
    });
  }
  night.setTo(night.beginMs + dayMs);
  await night.until('it has failed again', async () => (await failedOf(failing)).length > 4);
  night.setTo(night.nowMs + 2 * hourMs);
  await receiver.untilEvent(`backup.overdue of ${failing}`);
  expect(await receiver.events()).toEqual([`backup.failed of ${failing}`, `backup.overdue of ${failing}`]);
  expect((await readyOf(failing)).map(({ id }) => id)).toEqual([lastGood]);
});

it('stock restic finds every repository whole, and the last good backup in its own', async () => {
  const configs = (await bucket.list()).filter((name) => name.endsWith('/config'));
  expect(configs).toHaveLength(20);
  const passwordFile = night.recoveryKeyFile('cloud');
  await night.untilQuiet();
  await eachOf(configs, async (config) => {
    const repository = `s3:${bucket.place}/${config.slice(0, -'/config'.length)}`;
    const access = { repository, passwordFile, env: bucket.env() };
    await restic(access, ['check', '--read-data', '--no-cache', '--no-lock']);
  });
  await night.breakStack(failing, false);
  expect((await night.holdfast.run(['backup:restore', lastGood, '--yes'])).status).toBe(0);
});
