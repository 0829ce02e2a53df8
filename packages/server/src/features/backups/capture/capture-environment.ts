import { type Clock, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { MountedSources } from '@holdfast/docker';
import type { BackupMode, FreezeFacts } from '@holdfast/protocol';
import type { Mover } from '../../../runner/mover.ts';
import type { ServerPlace } from '../../../runner/server-place.ts';
import type { EnvironmentSurvey } from '../../environments/survey.ts';
import type { JobRun } from '../../jobs/execution/job-handler.ts';
import type { FreezeStore } from '../../jobs/freeze-store.ts';
import { type HookOptions, withHooks } from './hooks.ts';
import type { NeededEndpoint } from './needed-containers.ts';
import { assertMayFreeze, type FreezeOptions, whileFrozen } from './while-frozen.ts';

/** What the engine takes, at the least, to pause the containers of an environment and to thaw them. */
const pauseAndThawMs = 100;

export interface CaptureOptions {
  readonly freezes: FreezeStore;
  /** The longest that an environment stays paused, unless its labels say otherwise. */
  readonly holdLimitMs: number;
  readonly clock: Clock;
  readonly serverPlace: ServerPlace;
  /** What Holdfast itself needs while it takes a backup: never paused. */
  readonly endpoints: readonly NeededEndpoint[];
}

export interface Capture extends CaptureOptions {
  readonly run: JobRun;
  readonly survey: EnvironmentSurvey;
  /** Of the parts. */
  readonly sources: MountedSources;
  readonly mover: Mover;
  readonly mode: BackupMode;
  /** Taken in. */
  readonly warnings: string[];
}

/** From `go` to `sealed`. Answers how the freeze went, if there was one. */
export async function capture(work: Capture): Promise<FreezeFacts | undefined> {
  const { run, mover, mode } = work;
  // Found out now rather than after all was read.
  if (mode === 'consistent' && !mayBeLive(run)) await assertMayFreeze(freezeOf(work));
  const facts = await withHooks(hookOptions(work), async () => {
    run.step('Reading');
    mover.send({ type: 'go' });
    if (mode === 'consistent') return await captureStanding(work);
    await mover.waitFor('sealed', run);
    return undefined;
  });
  run.step('Saving');
  await mover.waitFor('sealed', run);
  return facts;
}

export function hookOptions({
  run,
  survey,
  warnings,
}: Pick<Capture, 'run' | 'survey' | 'warnings'>): HookOptions {
  const warn = (message: string): void => {
    warnings.push(message);
    run.log('warn', message);
  };
  return { run, docker: survey.docker, environmentName: survey.record.name, warn };
}

/** The final pass of a consistent backup. Undefined where it became a live one. */
async function captureStanding(work: Capture): Promise<FreezeFacts | undefined> {
  const { run, mover } = work;
  const freeze = freezeOf(work);
  const { holdLimitMs } = freeze;
  const rehearsed = await mover.waitFor('precopied', run);
  try {
    const seconds = (rehearsed.elapsedMs / 1000).toFixed(2);
    run.log('info', `Read while the app ran; what changed meanwhile takes ${seconds} s to set aside`);
    const expectedMs = rehearsed.elapsedMs + pauseAndThawMs;
    if (expectedMs > holdLimitMs) throw tooLong(expectedMs, holdLimitMs);
    run.step('Pausing the containers');
    const facts = await whileFrozen(freeze, async (signal) => {
      run.step('Setting aside what changed');
      mover.send({ type: 'frozen' });
      const { files, bytes, elapsedMs } = await mover.waitFor('captured', { signal });
      const [mebibytes, took] = [(bytes / 2 ** 20).toFixed(1), (elapsedMs / 1000).toFixed(2)];
      run.log('info', `Set aside ${files} files, ${mebibytes} MiB, in ${took} s`);
    });
    mover.send({ type: 'thawed' });
    return facts;
  } catch (error) {
    if (!mayBeLive(run) || !isHoldfastError(error, ...couldNotHoldStill)) throw error;
    run.log(
      'warn',
      `${error.message} The backup is a live one: its components may not agree with each other.`,
    );
    mover.send({ type: 'live' });
    return undefined;
  }
}

function freezeOf({ survey: { docker, record, environment }, sources, ...work }: Capture): FreezeOptions {
  const holdLimitMs = environment?.holdLimitMs ?? work.holdLimitMs;
  return { ...work, holdLimitMs, docker, environment: { name: record.name, sources } };
}

function mayBeLive({ job: { request } }: JobRun): boolean {
  return request.kind === 'backup' && request.fallback === 'live';
}

const couldNotHoldStill = [
  'freeze-refused',
  'freeze-failed',
  'freeze-broken',
  'freeze-limit-reached',
  'guard-failed',
  'gate-unreachable',
  'gate-busy',
  'hold-failed',
] as const;

function tooLong(expectedMs: number, holdLimitMs: number): HoldfastError {
  return new HoldfastError(
    'freeze-limit-reached',
    `Too much changes: the environment would be paused for about ${(expectedMs / 1000).toFixed(1)} s, and ${holdLimitMs / 1000} s is the limit.`,
    {
      hint: 'Raise the limit (hold-limit, or the label holdfast.hold.limit), take it when the app writes less, or take a live backup (--live, or --fallback live).',
      context: { expectedMs: Math.round(expectedMs), holdLimitMs },
    },
  );
}
