import type { ThawReason } from './guard-protocol.ts';

/** Why the guard stopped watching. */
export type TriggerOutcome =
  | { readonly type: 'released' }
  | { readonly type: 'thaw'; readonly reason: ThawReason };

/** Fires once, by whatever comes first; a release that comes later is still seen. */
export class ThawTrigger {
  readonly #fired = Promise.withResolvers<TriggerOutcome>();
  #isReleased = false;

  get fired(): Promise<TriggerOutcome> {
    return this.#fired.promise;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  release(): void {
    this.#isReleased = true;
    this.#fired.resolve({ type: 'released' });
  }

  thaw(reason: ThawReason): void {
    this.#fired.resolve({ type: 'thaw', reason });
  }
}
