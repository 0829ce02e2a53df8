import { type Abortable, throwIfAborted } from '@holdfast/base';
import { type Backup, isJobOver, type LogLine } from '@holdfast/protocol';
import type { Holdfast } from '../../e2e/support/holdfast.ts';
import { eventually } from '../../e2e/support/process.ts';
import type { AppEnvironment } from './app-environment.ts';
import { type Gap, lengthMs, longestGap, span } from './heartbeats.ts';

const backupTimeoutMs = 3_600_000;

/** A backup that is `ready`, with what its log tells of its times. */
export interface TakenBackup {
  readonly backup: Backup;
  readonly log: readonly LogLine[];
}

/** @throws Error with the job's error unless it is ready; the signal's reason */
export async function takeBackup(
  holdfast: Holdfast,
  environment: string,
  { signal }: Abortable = {},
): Promise<TakenBackup> {
  const client = holdfast.client();
  const { job, backupId } = await client.call('backup.create', {
    params: { environment },
    body: { code: false },
  });
  const ended = await eventually(
    'the backup ends',
    async () => {
      throwIfAborted(signal);
      const now = await client.call('job.get', { params: { job: job.id } });
      return isJobOver(now.state) ? now : undefined;
    },
    backupTimeoutMs,
  );
  const params = { backup: backupId };
  const { log } = await client.call('backup.log', { params });
  if (ended.error !== null) throw new Error(`${ended.error.code}: ${ended.error.message}`);
  const backup = await client.call('backup.get', { params });
  if (backup.mode !== 'consistent') throw new Error(`The backup is ${backup.mode}.`);
  return { backup, log };
}

/** When the log came to a line that begins so. */
export function timeOf({ log }: TakenBackup, beginning: string): number {
  const line = log.find(({ message }) => message.startsWith(beginning));
  if (line === undefined) throw new Error(`The backup's log has no line "${beginning}…".`);
  return line.timeMs;
}

/** How an environment stood still, as its containers saw it. */
export interface SeenFreeze extends Gap {
  /** From the first container that stopped to the last that went on. */
  readonly lengthMs: number;
  /** The longest of one container. */
  readonly longestMs: number;
  /** Where the milliseconds went, by the backup's own log. */
  readonly pieces: FreezePieces;
}

export interface FreezePieces {
  /** Gates: from the order to hold until what was under way had ended. */
  readonly drain_ms: number;
  /** From the order to pause until all stood still. */
  readonly pause_ms: number;
  /** The mover's own measure: look for mappings, walk, compare, copy aside. */
  readonly aside_ms: number;
  /** To the mover and back. */
  readonly talk_ms: number;
  /** Looking again at every container, and the order to go on. */
  readonly verify_and_thaw_ms: number;
  readonly files: number;
  readonly mebibytes: number;
}

export async function seenFreeze(environment: AppEnvironment, taken: TakenBackup): Promise<SeenFreeze> {
  const sinceMs = timeOf(taken, 'Pausing the containers');
  const untilMs = timeOf(taken, 'The containers go on');
  const gaps = await Promise.all(
    environment.pausedServices.map(async (service) => {
      const gap = longestGap(await environment.gaps(service, sinceMs), sinceMs, untilMs);
      if (gap === undefined) throw new Error(`${service} did not stand still at all.`);
      return gap;
    }),
  );
  const whole = span(gaps);
  return {
    ...whole,
    lengthMs: lengthMs(whole),
    longestMs: Math.max(...gaps.map(lengthMs)),
    pieces: freezePieces(taken),
  };
}

const setAsideLine = /^Set aside (\d+) files, ([\d.]+) MiB, in ([\d.]+) s$/;

function freezePieces(taken: TakenBackup): FreezePieces {
  const has = (beginning: string) => taken.log.some(({ message }) => message.startsWith(beginning));
  const line = taken.log.find(({ message }) => setAsideLine.test(message));
  const [files, mebibytes, seconds] =
    setAsideLine
      .exec(line?.message ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  const pausedMs = timeOf(taken, 'Paused ');
  const asideMs = Math.round((seconds ?? 0) * 1000);
  const asideEndMs = line?.timeMs ?? pausedMs;
  const wentOnMs = timeOf(taken, 'The containers go on');
  const frozenMs = taken.backup.capture?.frozenMs ?? 0;
  const drainMs = has('New requests wait') ? timeOf(taken, 'New requests') - timeOf(taken, 'Holding') : 0;
  return {
    drain_ms: drainMs,
    pause_ms: Math.round(frozenMs - (wentOnMs - pausedMs)),
    aside_ms: asideMs,
    talk_ms: asideEndMs - pausedMs - asideMs,
    verify_and_thaw_ms: wentOnMs - asideEndMs,
    files: files ?? 0,
    mebibytes: mebibytes ?? 0,
  };
}
