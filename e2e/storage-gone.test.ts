import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bucket } from './support/bucket.ts';
import { CutWire } from './support/cut-wire.ts';
import { MessageReceiver } from './support/message-receiver.ts';
import { eachOf, hourMs, mostAtOnce, Night } from './support/night.ts';
import { eventually } from './support/process.ts';
import { restic } from './support/restic.ts';

/** The bucket's server is gone for an hour in the middle of a night, while backups are under way. In order. */
let bucket: Bucket;
let wire: CutWire;
let receiver: MessageReceiver;
let night: Night;
let stacks: readonly string[];

beforeAll(async () => {
  bucket = await Bucket.make();
  wire = await CutWire.open(new URL(bucket.place));
  receiver = await MessageReceiver.open();
  night = await Night.begin();
  const { holdfast } = night;
  const key = ['--key-id', bucket.key.id, '--key-secret-file', bucket.key.file];
  // So slow that the backups are still under way when it goes.
  const slow = ['--limit-upload', '600K'];
  await holdfast.mustRun(['vault:add', 'cloud', '--s3', `${wire.url}/night`, ...key, ...slow, '--default']);
  await holdfast.mustRun([
    ...['notification:add', 'ops', '--kind', 'webhook', '--url', receiver.url, '--allow-private'],
  ]);
  stacks = await night.addStacks(4, { MORE: '2000000' });
});

afterAll(async () => {
  await night?.[Symbol.asyncDispose]();
  await receiver?.[Symbol.asyncDispose]();
  await wire?.[Symbol.asyncDispose]();
  await bucket?.[Symbol.asyncDispose]();
});

/** Names of the stacks that have such a backup. */
async function having(status: 'ready' | 'failed'): Promise<readonly string[]> {
  const backups = (await night.backups()).filter((backup) => backup.status === status);
  return [...new Set(backups.map(({ environmentName }) => environmentName))];
}

it('what is under way when it goes waits for it for a while, and then fails by its name', async () => {
  const sentBefore = wire.sentBytes;
  await night.until('two backups are under way', async () => {
    const running = (await night.jobs()).filter(({ state }) => state === 'running');
    return running.length === 2 && wire.sentBytes > sentBefore + 500_000;
  });
  await wire.cut();
  await eventually('they have failed', async () => (await having('failed')).length >= 2, 240_000);
  // Meanwhile an hour passes, in which all others are tried, and tried again.
  const endMs = night.nowMs + hourMs;
  await night.until('the hour is over', () => night.nowMs > endMs - hourMs / 4, { endMs, everyMs: 3000 });
  const jobs = await night.jobs();
  const errors = jobs.flatMap(({ error }) => (error === null ? [] : [error]));
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['storage-unreachable']));
  expect(errors.every(({ hint }) => hint !== null)).toBe(true);
  // None is tried more often than the rule says, however often the server looks: the first, and one 15 minutes later.
  for (const name of stacks) {
    expect(jobs.filter(({ environmentName }) => environmentName === name).length).toBeLessThanOrEqual(3);
  }
  expect(mostAtOnce(jobs)).toBe(2);
});

it('it is back, and in the morning all are there', async () => {
  await eventually(
    'what is tried meanwhile has ended',
    async () => {
      return (await night.unfinished()).length === 0;
    },
    240_000,
  );
  await wire.mend();
  await night.holdfast.mustRun(['vault:update', 'cloud', '--limit-upload', 'none']);
  await night.until('all are backed up', async () => (await having('ready')).length === stacks.length, {
    endMs: night.beginMs + 12 * hourMs,
  });
  const { vaults } = await night.holdfast.client().call('vault.list', {});
  expect(vaults.find(({ name }) => name === 'cloud')).toMatchObject({ status: 'ok' });
});

it('each failure that healed was told once', async () => {
  const events = await receiver.events();
  const failed = await having('failed');
  expect([...events].sort()).toEqual(failed.map((name) => `backup.failed of ${name}`).sort());
});

it('nothing is half there: stock restic finds every repository whole', async () => {
  const configs = (await bucket.list()).filter((name) => name.endsWith('/config'));
  expect(configs).toHaveLength(stacks.length);
  const passwordFile = night.recoveryKeyFile('cloud');
  await night.untilQuiet();
  await eachOf(configs, async (config) => {
    const repository = `s3:${bucket.place}/${config.slice(0, -'/config'.length)}`;
    const access = { repository, passwordFile, env: bucket.env() };
    await restic(access, ['check', '--read-data', '--no-cache', '--no-lock']);
  });
});
