import { type Clock, HoldfastError, systemClock } from '@holdfast/base';
import type { GateHoldReport, GateReleaseReason } from '@holdfast/protocol';

export interface GateLimits {
  /** So many may wait at a time. */
  readonly waiting: number;
  /** What those who wait may take in memory together, in bytes. */
  readonly waitingBytes: number;
}

export interface HoldRequest {
  /** The gate releases by itself so long after the hold began. */
  readonly limitMs: number;
  /** How long to wait for what is in flight. */
  readonly drainMs: number;
}

/** A hold that has begun. */
export interface Hold {
  /** Resolves with how many are still in flight: when none is, or when the drain time is over. Not after the release. */
  readonly drained: Promise<number>;
  /** Resolves when everything goes on. */
  readonly released: Promise<GateHoldReport>;
}

/** One request, or one connection, that got through. */
export interface Passage {
  /** It has ended, or lives too long to be waited for. */
  end(): void;
}

export interface Visitor {
  /** What it takes in memory while it waits. */
  readonly bytes: number;
  /** Fires when the client goes away. */
  readonly gone: AbortSignal;
}

export type Admission =
  | { readonly outcome: 'passed'; readonly passage: Passage }
  /** Too much waits already. `retryAfterSeconds`: when this hold is over at the latest. */
  | { readonly outcome: 'refused'; readonly retryAfterSeconds: number }
  | { readonly outcome: 'gone' };

export interface GateStatus {
  readonly state: 'open' | 'draining' | 'holding';
  readonly inFlight: number;
  readonly waiting: number;
}

interface Waiter {
  readonly bytes: number;
  readonly sinceMs: number;
  readonly admit: () => void;
}

/**
 * Lets requests through and counts those in flight, or lets them wait:
 *
 *   open → (hold) → draining → holding → (release, limit) → open
 *
 * It knows nothing of sockets: `HttpGate` and `TcpGate` bring them to it.
 */
export class Gate {
  readonly #limits: GateLimits;
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #waitingBytes = 0;
  #inFlight = 0;
  #current: CurrentHold | undefined;
  #onTurn: () => void = () => {};

  constructor(limits: GateLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get status(): GateStatus {
    const state = this.#current === undefined ? 'open' : this.#current.isDrained ? 'holding' : 'draining';
    return { state, inFlight: this.#inFlight, waiting: this.#waiters.size };
  }

  /** Calls back when a hold begins, and when it ends before anything goes on. */
  onTurn(listener: () => void): void {
    this.#onTurn = listener;
  }

  /** At once while the gate is open; undefined if the visitor has to wait. */
  tryToPass(): Passage | undefined {
    return this.#current === undefined ? this.#pass() : undefined;
  }

  /** Waits while the gate holds. */
  async wait(visitor: Visitor): Promise<Admission> {
    const hold = this.#current;
    if (visitor.gone.aborted) return { outcome: 'gone' };
    if (hold === undefined) return { outcome: 'passed', passage: this.#pass() };
    const isTooMuch =
      this.#waiters.size >= this.#limits.waiting ||
      this.#waitingBytes + visitor.bytes > this.#limits.waitingBytes;
    if (isTooMuch) {
      hold.refused += 1;
      return { outcome: 'refused', retryAfterSeconds: hold.secondsLeft };
    }
    return await this.#enqueue(visitor, hold);
  }

  /** @throws HoldfastError `gate-busy` while another hold lasts */
  hold(request: HoldRequest): Hold {
    if (this.#current !== undefined) {
      throw new HoldfastError('gate-busy', 'The gate is held already.', {
        hint: 'Wait until the other backup has released it.',
      });
    }
    const hold = new CurrentHold(request, this.#clock, () => this.release('limit'));
    this.#current = hold;
    this.#onTurn();
    if (this.#inFlight === 0) hold.drain(0);
    else hold.drainAfter(() => this.#inFlight);
    return { drained: hold.drained, released: hold.released };
  }

  /** Lets everything go on, in the order in which it came. Does nothing while the gate is open. */
  release(reason: GateReleaseReason): void {
    const hold = this.#current;
    if (hold === undefined) return;
    this.#current = undefined;
    this.#onTurn();
    const now = this.#clock.elapsed();
    for (const waiter of this.#waiters) {
      hold.longestWaitMs = Math.max(hold.longestWaitMs, now - waiter.sinceMs);
      hold.passed += 1;
      waiter.admit();
    }
    this.#waiters.clear();
    this.#waitingBytes = 0;
    hold.end(reason);
  }

  #pass(): Passage {
    this.#inFlight += 1;
    let isInFlight = true;
    return {
      end: () => {
        if (!isInFlight) return;
        isInFlight = false;
        this.#inFlight -= 1;
        if (this.#inFlight === 0) this.#current?.drain(0);
      },
    };
  }

  #enqueue({ bytes, gone }: Visitor, hold: CurrentHold): Promise<Admission> {
    const { promise, resolve } = Promise.withResolvers<Admission>();
    const leave = (): void => {
      if (!this.#waiters.delete(waiter)) return;
      this.#waitingBytes -= bytes;
      hold.lost += 1;
      resolve({ outcome: 'gone' });
    };
    const waiter: Waiter = {
      bytes,
      sinceMs: this.#clock.elapsed(),
      admit: () => {
        gone.removeEventListener('abort', leave);
        resolve({ outcome: 'passed', passage: this.#pass() });
      },
    };
    gone.addEventListener('abort', leave, { once: true });
    this.#waiters.add(waiter);
    this.#waitingBytes += bytes;
    return promise;
  }
}

/** Counts and deadlines of one hold. */
class CurrentHold {
  readonly drained: Promise<number>;
  readonly released: Promise<GateHoldReport>;
  readonly #clock: Clock;
  readonly #request: HoldRequest;
  readonly #sinceMs: number;
  readonly #limit: NodeJS.Timeout;
  #drainLimit: NodeJS.Timeout | undefined;
  readonly #settleDrained: (inFlight: number) => void;
  readonly #settleReleased: (report: GateHoldReport) => void;
  isDrained = false;
  passed = 0;
  refused = 0;
  lost = 0;
  longestWaitMs = 0;

  constructor(request: HoldRequest, clock: Clock, onLimit: () => void) {
    this.#request = request;
    this.#clock = clock;
    this.#sinceMs = clock.elapsed();
    this.#limit = setTimeout(onLimit, request.limitMs);
    const drained = Promise.withResolvers<number>();
    const released = Promise.withResolvers<GateHoldReport>();
    this.drained = drained.promise;
    this.released = released.promise;
    this.#settleDrained = drained.resolve;
    this.#settleReleased = released.resolve;
  }

  get secondsLeft(): number {
    const leftMs = this.#sinceMs + this.#request.limitMs - this.#clock.elapsed();
    return Math.max(1, Math.ceil(leftMs / 1000));
  }

  drainAfter(inFlight: () => number): void {
    this.#drainLimit = setTimeout(() => this.drain(inFlight()), this.#request.drainMs);
  }

  drain(inFlight: number): void {
    clearTimeout(this.#drainLimit);
    this.isDrained = true;
    this.#settleDrained(inFlight);
  }

  end(reason: GateReleaseReason): void {
    clearTimeout(this.#limit);
    clearTimeout(this.#drainLimit);
    this.#settleReleased({
      reason,
      heldMs: this.#clock.elapsed() - this.#sinceMs,
      heldRequests: this.passed,
      refusedRequests: this.refused,
      lostRequests: this.lost,
      longestWaitMs: this.longestWaitMs,
    });
  }
}
