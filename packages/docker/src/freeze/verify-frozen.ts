import type { Abortable } from '@holdfast/base';
import { type FreezeCalls, type FreezeTarget, targetState } from './freeze-target.ts';

export type FreezeVerdict =
  | { readonly intact: true }
  | {
      readonly intact: false;
      readonly broken: readonly { readonly containerId: string; readonly reason: string }[];
    };

/** Whether every target is still paused in the run in which it was paused. Ask at the end of a capture. */
export async function verifyFrozen(
  containers: Pick<FreezeCalls, 'inspect'>,
  targets: readonly FreezeTarget[],
  options: Abortable = {},
): Promise<FreezeVerdict> {
  const states = await Promise.all(
    targets.map(async (target) => ({ target, state: await targetState(containers, target, options) })),
  );
  const broken = states.flatMap(({ target, state }) =>
    state === 'paused' ? [] : [{ containerId: target.containerId, reason: reasons[state] }],
  );
  return broken.length === 0 ? { intact: true } : { intact: false, broken };
}

const reasons = {
  running: 'it goes on',
  'not-running': 'it ended or is gone',
  'another-run': 'it was started again',
} as const;
