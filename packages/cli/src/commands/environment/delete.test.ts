import type { DeletionPlan } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { type Answers, ProtocolServer } from '../../testing/protocol-server.ts';
import { sampleBackupId, sampleEnvironment, sampleTimeMs } from '../../testing/samples.ts';

const graceMs = 7 * 24 * 3_600_000;
const shop = { environmentId: sampleEnvironment('shop').id, environmentName: 'shop' };
const pinned = { id: sampleBackupId, createdAtMs: sampleTimeMs, pinReason: 'for the court' };

function plan(change: Partial<DeletionPlan> = {}): DeletionPlan {
  return {
    ...{ ...shop, component: null, deletion: null, graceMs, pinned: [] },
    ...{ backups: 2, bytes: 3 * 1024 * 1024, oldestAtMs: sampleTimeMs - graceMs, newestAtMs: sampleTimeMs },
    newestGood: [{ id: sampleBackupId, createdAtMs: sampleTimeMs, components: ['db', 'web'] }],
    ...change,
  };
}

function answers(change: Partial<DeletionPlan> = {}): Answers {
  const deleted = plan({ ...change, deletion: { atMs: sampleTimeMs, untilMs: sampleTimeMs + graceMs } });
  return {
    'environment.deletion': () => plan(change),
    'environment.delete': () => deleted,
    'component.deletion': () => plan({ ...change, component: 'db' }),
    'component.delete': () => ({ ...deleted, component: 'db' }),
  };
}

function names({ received }: ProtocolServer): string[] {
  return received.map(({ name }) => name);
}

describe('environment:delete', () => {
  it('says what goes, what to download first and until when it can be undone, and deletes nothing unasked', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, notes } = await cliRun(['environment:delete', 'shop'], { server });
    expect(status).toBe(2);
    expect(notes).toContain('error[confirmation-needed]');
    expect(notes).toContain('shop: 2 backups of 3.0 MiB in all will go for good, from 2026-');
    expect(notes).toContain(`holdfast backup:download ${sampleBackupId}    # 2026-`);
    expect(notes).toMatch(
      /Nothing is removed for 7 days: until \d{4}-.*, holdfast environment:undelete shop takes/,
    );
    expect(names(server)).toEqual(['environment.deletion']);
  });

  it('deletes with --yes, by the id that was shown', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, notes } = await cliRun(['environment:delete', 'shop', '--yes'], { server });
    expect(status).toBe(0);
    expect(notes).toMatch(/Deleted shop\. Until 2026-11-28 \d\d:00: holdfast environment:undelete shop\n/);
    expect(server.received.at(-1)).toMatchObject({
      name: 'environment.delete',
      params: { environment: shop.environmentId },
    });
    const json = await cliRun(['environment:delete', 'shop', '--yes', '--format', 'json'], { server });
    expect(JSON.parse(json.output)).toMatchObject({ backups: 2, deletion: { atMs: sampleTimeMs } });
  });

  it('names what is pinned, and leaves it only where that was said', async () => {
    await using server = await ProtocolServer.start(answers({ pinned: [pinned] }));
    const refused = await cliRun(['environment:delete', 'shop', '--yes'], { server });
    expect(refused.status).toBe(6);
    expect(refused.notes).toContain(`error[backup-pinned]`);
    expect(refused.notes).toContain(`${sampleBackupId} (for the court)`);
    expect(names(server)).not.toContain('environment.delete');
    const { status, notes } = await cliRun(['environment:delete', 'shop', '--yes', '--keep-pinned'], {
      server,
    });
    expect(status).toBe(0);
    expect(notes).toContain(`${sampleBackupId} stays, for it is pinned: "for the court"`);
    expect(server.received.at(-1)).toMatchObject({ query: { keepPinned: 'true' } });
  });

  it('says of one that was deleted how to take that back', async () => {
    const deletion = { atMs: sampleTimeMs, untilMs: sampleTimeMs + graceMs };
    await using server = await ProtocolServer.start(answers({ deletion }));
    const { status, notes } = await cliRun(['environment:delete', 'shop', '--yes'], { server });
    expect(status).toBe(6);
    expect(notes).toContain('error[environment-deleted]: shop was deleted already.');
    expect(notes).toContain('holdfast environment:undelete shop');
  });
});

describe('component:delete', () => {
  it('says that backups of the whole environment keep what they have', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, notes } = await cliRun(['component:delete', 'shop', 'db', '--yes'], { server });
    expect(status).toBe(0);
    expect(notes).toContain('Those of the whole environment keep what they have of it.');
    expect(notes).toContain('Deleted db of shop.');
    expect(server.received.at(-1)).toMatchObject({ params: { environment: 'shop', component: 'db' } });
  });
});

describe('undeleting', () => {
  it.each([
    [{ wasDeleted: true, backups: 3 }, 'shop is deleted no more, and has 3 backups.\n'],
    [{ wasDeleted: true, backups: 0 }, 'shop is deleted no more. It has no backups.\n'],
    [{ wasDeleted: false, backups: 3 }, 'shop is not deleted: there is nothing to take back.\n'],
  ])('%o', async (change, text) => {
    await using server = await ProtocolServer.start({
      'environment.undelete': () => ({ ...shop, component: null, ...change }),
    });
    const { status, notes } = await cliRun(['environment:undelete', 'shop'], { server });
    expect({ status, notes }).toEqual({ status: 0, notes: text });
  });

  it('of a component', async () => {
    await using server = await ProtocolServer.start({
      'component.undelete': () => ({ ...shop, component: 'db', wasDeleted: true, backups: 1 }),
    });
    const { notes } = await cliRun(['component:undelete', 'shop', 'db'], { server });
    expect(notes).toBe('db of shop is deleted no more, and has 1 backup.\n');
  });
});

it('environment:list and environment:get show what was deleted, with its last day', async () => {
  const deletion = { atMs: sampleTimeMs, untilMs: sampleTimeMs + graceMs };
  await using server = await ProtocolServer.start({
    'environment.list': () => ({ environments: [sampleEnvironment('shop', { deletion })] }),
  });
  const { output } = await cliRun(['environment:list', '-c', 'name,state,deleted'], { server });
  expect(output).toMatch(/^shop +deleted +2026-11-28 \d\d:00$/m);
});
