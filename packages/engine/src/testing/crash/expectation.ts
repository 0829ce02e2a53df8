import type { CrashSite } from './crash-site.ts';
import type { ToldCall, VictimTask } from './victim-task.ts';

/** What was so before a process was killed, and what the process told. */
export interface KilledRun {
  readonly task: VictimTask;
  readonly told: readonly ToldCall[];
  /** Ids of the snapshots that there were. */
  readonly before: readonly string[];
  /** False for a process that tells nothing. */
  readonly isTelling: boolean;
}

/** Compares the snapshots and keys that are there with what the killed process had finished. @throws Error */
export async function assertNothingLost(site: CrashSite, killed: KilledRun): Promise<void> {
  const there = new Set((await site.snapshots()).map(({ id }) => String(id)));
  const begun = idsOf(killed.told, { call: 'remove', kind: 'snapshot', hasEnded: false });
  const removed = idsOf(killed.told, { call: 'remove', kind: 'snapshot', hasEnded: true });
  const saved = idsOf(killed.told, { call: 'save', kind: 'snapshot', hasEnded: true });
  const mayGo = killed.isTelling ? begun : new Set(killed.task.snapshotIds ?? []);
  for (const id of [...killed.before.filter((id) => !mayGo.has(id)), ...saved]) {
    if (!there.has(id)) throw new Error(`Snapshot ${id} is gone.`);
  }
  for (const id of removed) if (there.has(id)) throw new Error(`Snapshot ${id} is still there.`);
  await assertKey(site, killed);
}

async function assertKey(site: CrashSite, { task, told }: KilledRun): Promise<void> {
  const password = task.otherPassword;
  if (password === undefined) return;
  const call = task.verb === 'key-add' ? 'save' : 'remove';
  const hasEnded = idsOf(told, { call, kind: 'key', hasEnded: true }).size > 0;
  const hasBegun = idsOf(told, { call, kind: 'key', hasEnded: false }).size > 0;
  if (hasBegun && !hasEnded) return;
  const shouldOpen = (task.verb === 'key-add') === hasEnded;
  if ((await site.opens(password)) !== shouldOpen) {
    throw new Error(`The other password ${shouldOpen ? 'does not open' : 'still opens'} the repository.`);
  }
}

function idsOf(told: readonly ToldCall[], wanted: Omit<ToldCall, 'id'>): Set<string> {
  return new Set(
    told
      .filter(
        ({ call, kind, hasEnded }) =>
          call === wanted.call && kind === wanted.kind && hasEnded === wanted.hasEnded,
      )
      .map(({ id }) => id),
  );
}
