import { describe, expect, it } from 'vitest';
import { Gate, type Visitor } from './gate.ts';

const limits = { waiting: 3, waitingBytes: 1000 };
const long = { limitMs: 60_000, drainMs: 60_000 };
const visitor = (bytes = 1, gone = new AbortController().signal): Visitor => ({ bytes, gone });

describe('a gate', () => {
  it('lets through and counts while it is open', () => {
    const gate = new Gate(limits);
    const [one, other] = [gate.tryToPass(), gate.tryToPass()];
    expect(gate.status).toEqual({ state: 'open', inFlight: 2, waiting: 0 });
    one?.end();
    one?.end();
    expect(gate.status.inFlight).toBe(1);
    other?.end();
    expect(gate.status.inFlight).toBe(0);
  });

  it('holds once nothing is in flight, and lets everything go on in its order', async () => {
    const gate = new Gate(limits);
    const passage = gate.tryToPass();
    const hold = gate.hold(long);
    expect(gate.status.state).toBe('draining');
    expect(gate.tryToPass()).toBeUndefined();
    const order: string[] = [];
    const waiting = ['a', 'b'].map(async (name) => {
      const admission = await gate.wait(visitor());
      order.push(name);
      return admission.outcome;
    });
    passage?.end();
    expect(await hold.drained).toBe(0);
    expect(gate.status).toEqual({ state: 'holding', inFlight: 0, waiting: 2 });
    gate.release('told');
    expect(await Promise.all(waiting)).toEqual(['passed', 'passed']);
    expect(order).toEqual(['a', 'b']);
    const report = await hold.released;
    expect(report).toMatchObject({ reason: 'told', heldRequests: 2, refusedRequests: 0, lostRequests: 0 });
    expect(report.longestWaitMs).toBeGreaterThan(0);
    expect(gate.status).toEqual({ state: 'open', inFlight: 2, waiting: 0 });
  });

  it('waits no longer for what is in flight than it was told', async () => {
    const gate = new Gate(limits);
    gate.tryToPass();
    const hold = gate.hold({ ...long, drainMs: 10 });
    expect(await hold.drained).toBe(1);
    gate.release('told');
  });

  it('releases by itself', async () => {
    const gate = new Gate(limits);
    gate.tryToPass();
    const hold = gate.hold({ limitMs: 20, drainMs: 60_000 });
    const admission = gate.wait(visitor());
    expect((await hold.released).reason).toBe('limit');
    expect((await admission).outcome).toBe('passed');
    expect(gate.status.state).toBe('open');
  });

  it('refuses more than may wait, by number and by memory', async () => {
    const gate = new Gate(limits);
    const hold = gate.hold(long);
    const first = gate.wait(visitor(900));
    expect(await gate.wait(visitor(101))).toEqual({ outcome: 'refused', retryAfterSeconds: 60 });
    const others = [gate.wait(visitor()), gate.wait(visitor())];
    expect(await gate.wait(visitor())).toMatchObject({ outcome: 'refused' });
    gate.release('told');
    expect(await Promise.all([first, ...others])).toHaveLength(3);
    expect(await hold.released).toMatchObject({ heldRequests: 3, refusedRequests: 2 });
  });

  it('forgets who goes away while waiting', async () => {
    const gate = new Gate({ waiting: 1, waitingBytes: 1000 });
    const hold = gate.hold(long);
    const gone = new AbortController();
    const waiting = gate.wait(visitor(1000, gone.signal));
    gone.abort();
    expect(await waiting).toEqual({ outcome: 'gone' });
    expect(await gate.wait(visitor(1, gone.signal))).toEqual({ outcome: 'gone' });
    const next = gate.wait(visitor(1000));
    gate.release('told');
    expect((await next).outcome).toBe('passed');
    expect(await hold.released).toMatchObject({ heldRequests: 1, lostRequests: 1 });
  });

  it('is held by one at a time', async () => {
    const gate = new Gate(limits);
    gate.hold(long);
    expect(() => gate.hold(long)).toThrow(expect.objectContaining({ code: 'gate-busy' }));
    gate.release('told');
    gate.release('told');
    gate.hold(long);
    gate.release('told');
  });
});
