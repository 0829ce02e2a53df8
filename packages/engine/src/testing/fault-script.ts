import type { FileKind } from '../backend/backend.ts';

export type BackendMethod =
  | 'create'
  | 'save'
  | 'load'
  | 'loadRange'
  | 'stat'
  | 'list'
  | 'remove'
  | 'removeLeftovers';

/**
 * - `fails`, `fails-for-good`: nothing is done; trying again may help, or not
 * - `fails-after`: it is done, and then the answer is lost; a listing tells of its first file before
 * - `slow`: it takes its time
 * - `truncated`, `flipped`: half of the bytes, or one wrong bit, is what is written or read
 */
export type FaultEffect = 'fails' | 'fails-for-good' | 'fails-after' | 'slow' | 'truncated' | 'flipped';

export interface ScriptedFault {
  readonly method: BackendMethod;
  /** Every kind without it. */
  readonly kind?: FileKind;
  /** Which of the calls that fit, from 1. Every one without it. */
  readonly calls?: readonly number[];
  readonly effect: FaultEffect;
}

interface Progress {
  readonly fault: ScriptedFault;
  calls: number;
  uses: number;
}

/** Says what goes wrong at which call, and whether all of it did. */
export class FaultScript {
  readonly #progress: readonly Progress[];

  constructor(faults: readonly ScriptedFault[]) {
    this.#progress = faults.map((fault) => ({ fault, calls: 0, uses: 0 }));
  }

  /** What happens at this call: the first fault that fits it. */
  next(method: BackendMethod, kind?: FileKind): FaultEffect | undefined {
    let effect: FaultEffect | undefined;
    for (const progress of this.#progress) {
      const { fault } = progress;
      if (fault.method !== method || (fault.kind !== undefined && fault.kind !== kind)) continue;
      progress.calls += 1;
      if (effect !== undefined || fault.calls?.includes(progress.calls) === false) continue;
      progress.uses += 1;
      effect = fault.effect;
    }
    return effect;
  }

  /** Faults that did not happen at all of their calls: a test that meant them proves less than it says. */
  get unused(): ScriptedFault[] {
    return this.#progress
      .filter(({ fault, uses }) => uses < (fault.calls?.length ?? 1))
      .map(({ fault }) => fault);
  }
}
