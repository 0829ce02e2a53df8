import type { ErrorReport } from '@holdfast/base';
import { fieldsOf } from '../engine-port/fields.ts';
import type { FreezeTarget } from './freeze-target.ts';

/**
 * What server and guard say to each other, one JSON object a line.
 *
 * To the guard's standard input: the spec, then `release` or `thaw`. The end of input without `release` means `thaw`.
 * From its standard output:
 *
 *   ready, before it has its spec
 *   armed → (release) → ended
 *   armed → (thaw, deadline, end of input, SIGTERM) → thawing → thawed* → ended
 *   failed, instead of armed
 */
export interface GuardSpec {
  readonly host: string;
  readonly containers: readonly FreezeTarget[];
  /** Milliseconds since the Unix epoch: whatever is paused then is thawed. */
  readonly deadlineMs: number;
}

export type GuardMessage = 'release' | 'thaw';

export type ThawReason = 'told' | 'deadline' | 'abandoned' | 'terminated';

export type GuardEvent =
  | { readonly type: 'ready' }
  | {
      readonly type: 'armed';
      readonly pid: number;
      /** Field 22 of `/proc/<pid>/stat`: with the pid and the boot id it names the process for good. */
      readonly startTicks: string;
      /** The containers that it watches. */
      readonly containers: readonly string[];
    }
  | { readonly type: 'thawing'; readonly reason: ThawReason }
  | { readonly type: 'thawed'; readonly containers: readonly string[] }
  | { readonly type: 'failed'; readonly error: ErrorReport }
  | { readonly type: 'ended' };

export function parseGuardSpec(line: string): GuardSpec | undefined {
  const spec = fieldsOf(parseJson(line));
  const containers = spec.objects('containers').map((container) => ({
    containerId: container.text('containerId'),
    startedAt: container.text('startedAt'),
  }));
  const isWhole = containers.every(({ containerId, startedAt }) => containerId !== '' && startedAt !== '');
  const host = spec.text('host');
  const deadlineMs = spec.number('deadlineMs');
  return isWhole && host !== '' && deadlineMs > 0 ? { host, containers, deadlineMs } : undefined;
}

export function parseGuardMessage(line: string): GuardMessage | undefined {
  const type = fieldsOf(parseJson(line)).text('type');
  return type === 'release' || type === 'thaw' ? type : undefined;
}

export function parseGuardEvent(line: string): GuardEvent | undefined {
  const event = fieldsOf(parseJson(line));
  const containers = event.texts('containers');
  switch (event.text('type')) {
    case 'ready':
      return { type: 'ready' };
    case 'armed':
      return { type: 'armed', pid: event.number('pid'), startTicks: event.text('startTicks'), containers };
    case 'thawing':
      return { type: 'thawing', reason: toReason(event.text('reason')) };
    case 'thawed':
      return { type: 'thawed', containers };
    case 'failed': {
      const error = event.object('error');
      const hint = error.text('hint');
      const report = { code: error.text('code'), message: error.text('message') };
      return { type: 'failed', error: hint === '' ? report : { ...report, hint } };
    }
    case 'ended':
      return { type: 'ended' };
    default:
      return undefined;
  }
}

function toReason(text: string): ThawReason {
  return text === 'deadline' || text === 'abandoned' || text === 'told' ? text : 'terminated';
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
