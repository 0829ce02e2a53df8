import { type Abortable, type Clock, throwIfAborted, toHoldfastError } from '@holdfast/base';
import type { BackupId } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Logger } from '../../config/logger.ts';
import type { RemovalService } from '../backups/removal/removal-service.ts';
import { createRemoveByRule } from '../backups/removal/remove-by-rule.ts';
import { deletionGraceMs } from '../environments/deletion.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { EnvironmentService } from '../environments/service.ts';
import type { Deletable, DeletionStore, LeftBackup } from './store.ts';

/** Who asks for the removal of what a user deleted, once the grace is over. */
export const deletedByUser = 'deletion';

/** Does what deletions promise for when their grace is over. To be called from time to time: each call goes on where the last ended. */
export type CarryOutDeletions = (options?: Abortable) => Promise<void>;

export interface CarryOutOptions {
  readonly catalog: Catalog;
  readonly store: DeletionStore;
  readonly environments: Pick<EnvironmentService, 'known' | 'list'>;
  readonly removals: Pick<RemovalService, 'removeBackups'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Deleted extends Deletable {
  readonly atMs: number;
}

interface Removed {
  readonly isDone: boolean;
  readonly pinned: readonly BackupId[];
}

/**
 * For each that was deleted 7 days ago: a job that removes its backups, but for pinned ones. Once none is left, what is
 * known of a component is dropped; an environment is dropped when Docker does not have it any more. Until then it stays as
 * deleted, or the next look would find it anew and back it up.
 */
export function createCarryOutDeletions(options: CarryOutOptions): CarryOutDeletions {
  const { catalog, store, environments, clock, logger } = options;
  const removeByRule = createRemoveByRule(options.removals, clock);

  /** Answers whether nothing of it is left that could go, and what stays. */
  async function removeBackups({ name }: EnvironmentRecord, deleted: Deleted): Promise<Removed> {
    const left = await store.backups(deleted);
    const going = left.filter(({ pinReason }) => pinReason === null);
    const pinned = left.flatMap(({ id, pinReason }) => (pinReason === null ? [] : [id]));
    // What a restore has set aside since the deletion is kept for as long as that was.
    const due = going.filter(({ createdAtMs }) => isOver(Math.max(deleted.atMs, createdAtMs)));
    const outcome = await removeByRule({
      environmentId: deleted.environmentId,
      backupIds: due.map(({ id }) => id),
      createdBy: deletedByUser,
      reasons: reasonsOf(name, deleted, left),
      isWanted: async (tx) => await store.hold(deleted, tx),
    });
    if (outcome?.kind === 'queued') {
      logger.info('Backups of what was deleted go.', {
        environment: name,
        component: deleted.component,
        backups: outcome.backupIds,
        pinned,
      });
    }
    return { isDone: going.length === 0, pinned };
  }

  function isOver(sinceMs: number): boolean {
    return clock.now() >= sinceMs + deletionGraceMs;
  }

  function overOf({ id, deletedAtMs, deletedComponents }: EnvironmentRecord): readonly Deleted[] {
    const whole = deletedAtMs === null ? [] : [{ environmentId: id, component: null, atMs: deletedAtMs }];
    const components = deletedComponents.map((each) => {
      return { environmentId: id, component: each.name, atMs: each.deletedAtMs };
    });
    return [...whole, ...components].filter(({ atMs }) => isOver(atMs));
  }

  async function carryOut(record: EnvironmentRecord): Promise<void> {
    for (const deleted of overOf(record)) {
      const { environmentId, component } = deleted;
      const { isDone, pinned } = await removeBackups(record, deleted);
      if (!isDone || component === null) continue;
      const isGone = await catalog.write(async (tx) => {
        if (!(await store.hold(deleted, tx))) return false;
        await store.forgetComponent(environmentId, component, tx);
        return true;
      });
      if (isGone)
        logger.info('A deleted component is gone.', { environment: record.name, component, pinned });
    }
  }

  /** What is inactive may be there again by now: only a look at its node tells. */
  async function forgetGone(all: readonly EnvironmentRecord[], { signal }: Abortable): Promise<void> {
    const empty: EnvironmentRecord[] = [];
    for (const record of all) {
      const { id, state, deletedAtMs } = record;
      if (state === 'active' || deletedAtMs === null || !isOver(deletedAtMs)) continue;
      if (await store.isEmpty(id)) empty.push(record);
    }
    if (empty.length === 0) return;
    const reachable = (await environments.list({ signal })).filter(({ isReachable }) => isReachable);
    for (const { id, name } of empty) {
      if (!reachable.some((each) => each.id === id)) continue;
      const isGone = await catalog.write(async (tx) => await store.forgetEnvironment(id, tx));
      if (isGone) logger.info('A deleted environment is gone.', { environment: name });
    }
  }

  /** What fails for one keeps no other from being done; it is tried again at the next call. */
  async function alone(what: string | undefined, work: () => Promise<void>, abort: Abortable): Promise<void> {
    try {
      await work();
    } catch (error) {
      throwIfAborted(abort.signal);
      const report = toHoldfastError(error).toReport();
      logger.warn('A deletion could not be carried out.', { environment: what, error: report });
    }
  }

  return async ({ signal } = {}) => {
    const all = await environments.known();
    for (const record of all) {
      await alone(record.name, async () => await carryOut(record), { signal });
    }
    await alone(undefined, async () => await forgetGone(all, { signal }), { signal });
  };
}

function reasonsOf(name: string, { component, atMs }: Deleted, left: readonly LeftBackup[]): string[] {
  const which = component === null ? `The environment ${name}` : `The component ${component} of ${name}`;
  const pinned = left.filter(({ pinReason }) => pinReason !== null);
  return [
    `${which} was deleted on ${new Date(atMs).toISOString()}.`,
    ...pinned.map(({ id, pinReason }) => `${id} stays, for it is pinned: ${pinReason ?? ''}`),
  ];
}
