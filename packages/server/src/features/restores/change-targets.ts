import { HoldfastError, TaskGroup, throwIfAborted } from '@holdfast/base';
import { type Container, readInventory } from '@holdfast/docker';
import type { BackupId } from '@holdfast/protocol';
import type { Mover } from '../../runner/mover.ts';
import type { SafetyBackup } from '../backups/safety-backups.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { RestoreJournal } from '../jobs/journal-store.ts';
import { affectedContainers, type TargetPaths } from './affected-containers.ts';
import type { ContainerPlan } from './make-target.ts';
import { journalOf, type StandstillOptions, stopContainers } from './standstill.ts';

export interface Change {
  readonly mover: Mover;
  readonly backupId: BackupId;
  readonly targets: TargetPaths;
  /** Of containers that were made for this: how they are to be in the end. */
  readonly plans?: ReadonlyMap<string, ContainerPlan> | undefined;
  /** With everything stopped, puts other containers in the place of some; answers the journal of both. */
  readonly replace?: ((journal: RestoreJournal) => Promise<RestoreJournal>) | undefined;
  /** Begins to keep what is overwritten; undefined where nothing is, or nothing is to be kept. */
  readonly beginSafety: (run: JobRun) => Promise<SafetyBackup | undefined>;
}

/**
 * Brings a mover that has started to targets that are wholly restored: all that differs is staged beside them, then
 * journal, then stopped, then what they hold is kept, then changed. Whoever calls it puts back what it did when it throws.
 */
export async function changeTargets(standstill: StandstillOptions, change: Change): Promise<void> {
  const { docker, journals, run, clock } = standstill;
  const { mover, backupId, targets, plans, replace } = change;
  const { environmentId, id: jobId } = run.job;
  // Found out now rather than after all was fetched.
  const found = affectedContainers(await readInventory(docker, run), targets);
  run.step('Fetching and checking the whole backup');
  mover.send({ type: 'go' });
  const isStill = found.every(({ state }) => !state.running);
  await using safety = isStill ? await stageBesideKeeping(change, run) : await stageThenKeep(change, run);

  const containers = affectedContainers(await readInventory(docker, run), targets);
  if (containers.length > 0) run.step('Stopping the containers');
  const unfinished = await journals.get(environmentId);
  const facts = { environmentId, backupId, jobId, startedAtMs: clock.now() };
  const journal = journalOf(facts, containers, { unfinished, plans });
  await journals.write(journal);
  await stopContainers(standstill, containers);
  await safety?.complete();
  assertNoneRuns(affectedContainers(await readInventory(docker, run), targets));
  throwIfAborted(run.signal);
  if (replace !== undefined) {
    run.step('Making its containers');
    await journals.write(await replace(journal));
  }

  run.step('Restoring');
  mover.send({ type: 'commit' });
  await mover.waitFor('swapped');
}

/** What changes after it was read is read again while the app is down: the later it is read first, the shorter that is. */
async function stageThenKeep({ mover, beginSafety }: Change, run: JobRun): Promise<SafetyBackup | undefined> {
  await mover.waitFor('sealed', run);
  return await beginSafety(run);
}

/** Of an app that is down already. */
async function stageBesideKeeping(
  { mover, beginSafety }: Change,
  run: JobRun,
): Promise<SafetyBackup | undefined> {
  const both = new TaskGroup(run);
  const { signal } = both;
  const staged = both.start(mover.waitFor('sealed', { signal }));
  const keeping = both.start(beginSafety({ ...run, signal, step: () => {}, progress: () => {} }));
  try {
    await staged;
  } catch (error) {
    const safety = await keeping.catch(() => undefined);
    await safety?.[Symbol.asyncDispose]();
    throw error;
  }
  return await keeping;
}

function assertNoneRuns(containers: readonly Container[]): void {
  const running = containers.filter(({ state }) => state.running).map(({ name }) => name);
  if (running.length === 0) return;
  throw new HoldfastError(
    'environment-busy',
    `Somebody started ${running.join(', ')} while the environment was being stopped.`,
    { hint: 'Restore again while nobody starts its containers.', context: { containers: running } },
  );
}
