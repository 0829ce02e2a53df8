import { type Clock, isHoldfastError, sleep, throwIfAborted } from '@holdfast/base';
import type { Container, DockerEngine, RestartPolicy } from '@holdfast/docker';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { JournalStore, RestoreJournal, StoppedContainer } from '../jobs/journal-store.ts';
import type { ContainerPlan } from './make-target.ts';
import { type StartedContainer, untilHealthy } from './until-healthy.ts';

/** How long an app may take to end before it is killed, where its container does not say so (`stop_grace_period`). */
const stopGraceSeconds = 30;
const dockerRetryMs = 1000;
const dockerTryForMs = 30_000;

export interface StandstillOptions {
  readonly docker: DockerEngine;
  readonly journals: JournalStore;
  readonly run: JobRun;
  readonly clock: Clock;
}

export interface JournalOptions {
  readonly unfinished?: RestoreJournal | undefined;
  /** Of containers that were made for the restore, by name. */
  readonly plans?: ReadonlyMap<string, ContainerPlan> | undefined;
}

/**
 * The journal of a restore that is about to begin: every container with the restart policy it has and whether it runs.
 * Of an unfinished one before it, what was noted then stays true: its containers are stopped, and their policies `no`.
 */
export function journalOf(
  journal: Omit<RestoreJournal, 'containers' | 'reason'>,
  containers: readonly Container[],
  { unfinished, plans }: JournalOptions,
): RestoreJournal {
  return {
    ...journal,
    containers: containers.map((container) => {
      const earlier = unfinished?.containers.find(({ id }) => id === container.id);
      if (earlier !== undefined) return { ...earlier, belongsTo: 'both' };
      return { ...noteContainer(container), ...plans?.get(container.name) };
    }),
    reason: unfinished?.reason ?? '',
  };
}

function noteContainer({ id, name, restartPolicy, state }: Container): StoppedContainer {
  const { name: policy, maximumRetryCount } = restartPolicy;
  return {
    id,
    name,
    restartPolicy: { name: policy, maximumRetryCount },
    wasRunning: state.running,
    belongsTo: 'both',
  };
}

/** True when an earlier restore changed the targets and did not complete: nothing may start before one does. */
export function isUnfinished(journal: RestoreJournal | undefined): journal is RestoreJournal {
  return journal !== undefined && journal.reason !== '';
}

/**
 * Keeps the containers from being started by the engine, and stops them. The journal has to be written before. What was
 * asked of the engine is waited for, also when the work has to stop: it would still happen, after a start again.
 */
export async function stopContainers(
  { docker, run }: StandstillOptions,
  containers: readonly Container[],
): Promise<void> {
  for (const { id, restartPolicy, autoRemove } of containers) {
    if (restartPolicy.name !== 'no' && !autoRemove) {
      await docker.containers.setRestartPolicy(id, { name: 'no', maximumRetryCount: 0 });
    }
  }
  for (const { id, name, state, stopSeconds } of containers) {
    throwIfAborted(run.signal);
    if (!state.running) continue;
    if (state.paused) await docker.containers.unpause(id);
    await docker.containers.stop(id, { graceSeconds: stopSeconds ?? stopGraceSeconds });
    run.log('info', `Stopped ${name}`);
  }
}

/** `back` to how the environment was before the restore, or `forward` to what was restored. */
export type Direction = 'back' | 'forward';

/**
 * Starts what is to run, in the order opposite to the one it was stopped in, puts the restart policies back, deletes the journal, and
 * waits until what it started is healthy. Answers what could not be started, or is not well, as warnings: what was restored
 * is whole all the same.
 * May be called again after it failed.
 * @throws HoldfastError `docker-unreachable` when Docker does not answer for half a minute
 */
export async function startAgain(
  options: StandstillOptions,
  journal: RestoreJournal,
  direction: Direction,
): Promise<readonly string[]> {
  const { docker, journals, run } = options;
  const left = direction === 'back' ? 'new' : 'old';
  const containers = journal.containers.filter(({ belongsTo }) => belongsTo !== left);
  const warnings: string[] = [];
  const started: StartedContainer[] = [];
  const attempt = async (name: string, what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await patiently(work);
    } catch (error) {
      if (!isHoldfastError(error, 'docker-refused', 'container-unknown')) throw error;
      warnings.push(`${name} could not be ${what}: ${error.message}`);
    }
  };
  for (const { id, name, wasRunning } of containers.toReversed()) {
    if (!wasRunning) continue;
    await attempt(name, 'started', async () => {
      await docker.containers.start(id);
      started.push({ id, name });
      run.log('info', `Started ${name}`);
    });
  }
  for (const { id, name, restartPolicy } of containers) {
    const policy = toPolicy(restartPolicy);
    if (policy.name === 'no') continue;
    await attempt(name, 'given back its restart policy', async () => {
      await docker.containers.setRestartPolicy(id, policy);
    });
  }
  await journals.remove(journal.environmentId);
  // Their policies are back: what ends because something else is not up yet is started again by the engine.
  return [...warnings, ...(await untilHealthy(docker.containers, started, run))];
}

/** The engine may be restarting just now. */
async function patiently(work: () => Promise<void>): Promise<void> {
  const giveUpAt = performance.now() + dockerTryForMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isHoldfastError(error, 'docker-unreachable') || performance.now() > giveUpAt) throw error;
      await sleep(dockerRetryMs);
    }
  }
}

const policyNames: readonly RestartPolicy['name'][] = ['no', 'always', 'unless-stopped', 'on-failure'];

function toPolicy({ name, maximumRetryCount }: StoppedContainer['restartPolicy']): RestartPolicy {
  return { name: policyNames.find((known) => known === name) ?? 'no', maximumRetryCount };
}
