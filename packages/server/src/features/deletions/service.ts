import { type Abortable, type Clock, HoldfastError, isHoldfastError } from '@holdfast/base';
import { type DeletionPlan, isJobOver, type Undeletion } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Logger } from '../../config/logger.ts';
import { deletionGraceMs, deletionOf, requireNotDeleted } from '../environments/deletion.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import { type EnvironmentService, requireComponent } from '../environments/service.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobService } from '../jobs/service.ts';
import { deletedByUser } from './carry-out.ts';
import { planOf } from './plan.ts';
import type { Deletable, DeletionStore, LeftBackup } from './store.ts';

/** What is named to be deleted. */
export interface Named {
  /** Id or name. */
  readonly environment: string;
  /** Undefined: the whole environment. */
  readonly component?: string;
}

export interface DeleteRequest extends Named {
  /** Whether pinned backups may stay behind. */
  readonly keepPinned: boolean;
  readonly deletedBy: string;
}

/**
 * Deleting environments, and components that Docker no longer has:
 *
 *     deleted ──(7 days)──► backups removed ──► gone, or known as deleted for as long as Docker has it
 *        └──────────────── undelete ───────────────────────────┘
 *
 * All throw HoldfastError `environment-unknown`, `environment-ambiguous`; for a component `component-unknown`,
 * `docker-unreachable` and `component-in-use` where Docker has containers of it.
 */
export interface DeletionService {
  /** What would go. */
  plan(what: Named, options?: Abortable): Promise<DeletionPlan>;
  /** @throws HoldfastError `environment-deleted` where it was, `backup-pinned` naming those that are */
  delete(request: DeleteRequest, options?: Abortable): Promise<DeletionPlan>;
  /** Also after the grace: what was not removed until then is kept. */
  undelete(what: Named, options?: Abortable): Promise<Undeletion>;
}

export interface DeletionServiceOptions {
  readonly catalog: Catalog;
  readonly store: DeletionStore;
  readonly environments: Pick<EnvironmentService, 'find' | 'list' | 'survey'>;
  readonly jobs: Pick<JobService, 'list' | 'cancel'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Found {
  readonly record: EnvironmentRecord;
  readonly what: Deletable;
  readonly deletedAtMs: number | null;
}

const jobLimit = 1000;

export function createDeletionService(options: DeletionServiceOptions): DeletionService {
  const { catalog, store, environments, jobs, clock, logger } = options;

  /** One that nobody has looked at yet is looked for. */
  async function findEnvironment(idOrName: string, { signal }: Abortable): Promise<EnvironmentRecord> {
    try {
      return await environments.find(idOrName);
    } catch (error) {
      if (!isHoldfastError(error, 'environment-unknown')) throw error;
      await environments.list({ signal });
      return await environments.find(idOrName);
    }
  }

  async function find({ environment, component }: Named, abort: Abortable): Promise<Found> {
    const record = await findEnvironment(environment, abort);
    if (component === undefined) {
      const what = { environmentId: record.id, component: null };
      return { record, what, deletedAtMs: record.deletedAtMs };
    }
    const deleted = record.deletedComponents.find(({ name }) => name === component);
    const isKnown = deleted !== undefined || (await store.isKnown(record.id, component));
    if (!isKnown) requireComponent(record, component);
    const what = { environmentId: record.id, component };
    return { record, what, deletedAtMs: deleted?.deletedAtMs ?? null };
  }

  /** What exists is never left out: only what Docker has no longer can be deleted. */
  async function requireGone({ record, what }: Found, abort: Abortable): Promise<void> {
    if (what.component === null) return;
    const survey = await environments.survey(record.id, abort);
    if (hasContainers(survey, what.component)) throw inUse(record, what.component);
  }

  function toPlan({ record, what, deletedAtMs }: Found, backups: readonly LeftBackup[]): DeletionPlan {
    return {
      environmentId: record.id,
      environmentName: record.name,
      component: what.component,
      deletion: deletedAtMs === null ? null : deletionOf(deletedAtMs),
      graceMs: deletionGraceMs,
      ...planOf(backups),
    };
  }

  /** What a deletion has queued must not go on once it is taken back. */
  async function stopRemovals({ environmentId }: Deletable): Promise<void> {
    for (const job of await jobs.list({ environmentId, kind: 'delete', limit: jobLimit })) {
      if (job.createdBy !== deletedByUser || isJobOver(job.state)) continue;
      await jobs.cancel(job.id).catch(unlessOver);
    }
  }

  return {
    plan: async (named, { signal } = {}) => {
      const found = await find(named, { signal });
      if (found.deletedAtMs === null) await requireGone(found, { signal });
      return toPlan(found, await store.backups(found.what));
    },

    delete: async ({ keepPinned, deletedBy, ...named }, { signal } = {}) => {
      const found = await find(named, { signal });
      requireNotDeleted(found.record);
      if (found.deletedAtMs === null) await requireGone(found, { signal });
      const { record, what } = found;
      const backups = await catalog.write(async (tx) => {
        const all = await store.backups(what, tx);
        const pinned = all.filter(({ pinReason }) => pinReason !== null);
        if (pinned.length > 0 && !keepPinned) throw arePinned(record, pinned);
        if (!(await store.mark(what, tx))) throw deletedAlready(record, what);
        return all;
      });
      logger.info('It was deleted: what is left of it goes after the grace.', {
        environment: record.name,
        component: what.component,
        by: deletedBy,
      });
      return toPlan({ ...found, deletedAtMs: clock.now() }, backups);
    },

    undelete: async (named, { signal } = {}) => {
      const { record, what } = await find(named, { signal });
      const wasDeleted = await catalog.write(async (tx) => await store.takeBack(what, tx));
      if (wasDeleted) {
        await stopRemovals(what);
        logger.info('A deletion was taken back.', { environment: record.name, component: what.component });
      }
      const left = (await store.backups(what)).filter(({ status }) => status !== 'deleting');
      return {
        environmentId: record.id,
        environmentName: record.name,
        component: what.component,
        wasDeleted,
        backups: left.length,
      };
    },
  };
}

function hasContainers({ environment, mounts }: EnvironmentSurvey, component: string): boolean {
  const hasInstances = environment?.components.some(
    ({ name, instances }) => name === component && instances.length > 0,
  );
  // One-off containers are no instances.
  const isMounting = mounts.some(({ mount }) =>
    mount.mountPoints.some((point) => point.component === component),
  );
  return hasInstances === true || isMounting;
}

function unlessOver(error: unknown): void {
  if (!isHoldfastError(error, 'job-not-cancellable')) throw error;
}

function arePinned({ name }: EnvironmentRecord, pinned: readonly LeftBackup[]): HoldfastError {
  const named = pinned.map(({ id, pinReason }) => `${id} (${pinReason ?? ''})`).join(', ');
  return new HoldfastError(
    'backup-pinned',
    `Pinned backups of ${name} keep it from being deleted: ${named}.`,
    {
      hint: 'They stay behind with --keep-pinned. Or delete them by their ids first, or unpin them.',
      context: { backupIds: pinned.map(({ id }) => id) },
    },
  );
}

function inUse({ id, name }: EnvironmentRecord, component: string): HoldfastError {
  return new HoldfastError(
    'component-in-use',
    `Docker has containers of the component ${component} of ${name}.`,
    {
      hint: 'Remove it from the Compose file first, and its containers: docker compose up --detach --remove-orphans.',
      context: { environmentId: id, component },
    },
  );
}

function deletedAlready({ id, name }: EnvironmentRecord, { component }: Deletable): HoldfastError {
  const which = component === null ? name : `${component} of ${name}`;
  const command =
    component === null ? `environment:undelete ${name}` : `component:undelete ${name} ${component}`;
  return new HoldfastError('environment-deleted', `${which} was deleted already.`, {
    hint: `Take that back: holdfast ${command}.`,
    context: { environmentId: id },
  });
}
