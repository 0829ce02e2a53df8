import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { mustRun } from './support/process.ts';

/** A copy of a document's examples, run with `holdfast` in the place of `upsun`, in the document's order. */
const file = fileURLToPath(new URL('./documents-examples/upsun-backups.sh', import.meta.url));
const program = fileURLToPath(new URL('../bin/holdfast', import.meta.url));
const environment = 'upsunshop';

/** By the comment above each. */
const examples = new Map(
  readFileSync(file, 'utf8')
    .split(/^# /m)
    .slice(2)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
);

let holdfast: Holdfast;
let app: ComposeProject;

beforeAll(async () => {
  app = await ComposeProject.up('small', environment);
  holdfast = await Holdfast.start();
});

afterAll(async () => {
  await holdfast?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
});

/** In the project's folder, as a user of the document is. */
async function example(name: string): Promise<string> {
  const line = examples.get(name);
  if (line === undefined) throw new Error(`There is no example ${name}.`);
  const shell = `upsun() { "$HOLDFAST" "$@"; }\n${line}`;
  const env = { HOLDFAST: program, HOLDFAST_DATA: holdfast.dataDirectory };
  return await mustRun('bash', ['-euc', shell], { cwd: app.folder, env });
}

async function schedule() {
  return await holdfast.client().call('schedule.get', { params: { environment } });
}

it('a backup every day for 7 days', async () => {
  expect((await schedule()).schedules).toMatchObject([{ id: 'interval:1d', keeps: 'the newest 2' }]);
  await example('a backup every day, up to 7 kept');
  expect((await schedule()).schedules).toMatchObject([{ due: 'every day', keeps: 'the newest 7' }]);
});

it('a backup every day for 7 days, every week for 4 weeks, every month for 12 months', async () => {
  await example('several schedules');
  expect((await schedule()).schedules).toMatchObject([
    { due: 'every day', keeps: 'the newest 7' },
    { due: 'every week', keeps: 'the newest 4' },
    { due: 'every month', keeps: 'the newest 12' },
  ]);
});

it('a limit for all backups, and one for manual ones; what was set before stays', async () => {
  await example('at most so many');
  await example('at most so many manual ones');
  const { schedules, maxBackups, manualCount } = await schedule();
  expect({ schedules: schedules.length, maxBackups, manualCount }).toEqual({
    schedules: 3,
    maxBackups: 10,
    manualCount: 1,
  });
});

it('a live backup, and one that replaces it once it is ready', async () => {
  const live = (await example('a live backup')).trim();
  expect(await holdfast.getBackup(live)).toMatchObject({ kind: 'manual', mode: 'live', status: 'ready' });
  const explained = async () =>
    await holdfast.client().call('policy.explain', { params: { environment }, query: {} });
  expect((await explained()).backups).toMatchObject([{ id: live, removedBy: null }]);
  const next = (await example('a backup')).trim();
  expect(await holdfast.getBackup(next)).toMatchObject({ kind: 'manual', mode: 'consistent' });
  expect((await explained()).backups).toMatchObject([
    { id: live, removedBy: 'a newer manual one is ready' },
    { id: next, removedBy: null },
  ]);
});

it('a backup that a cron job takes, with a token and no terminal, is a manual one and counts as such', async () => {
  const explained = async () =>
    await holdfast.client().call('policy.explain', { params: { environment }, query: {} });
  // Of another machine, as far as it can tell: only the address and the token are known there.
  const env = { HOLDFAST_URL: holdfast.url, HOLDFAST_TOKEN: holdfast.token(), HOLDFAST_DATA: undefined };
  const line = `${program} backup:create ${environment} </dev/null 2>/dev/null | cat`;
  const id = (await mustRun('sh', ['-c', line], { cwd: '/', env })).trim();
  expect(await holdfast.getBackup(id)).toMatchObject({ kind: 'manual', status: 'ready' });
  const kept = (await explained()).backups.filter(({ removedBy }) => removedBy === null);
  expect(kept).toMatchObject([{ id, kind: 'manual' }]);
});
