import { describe, expect, it } from 'vitest';
import { sleep, throwIfAborted } from './abort.ts';
import { HoldfastError, isHoldfastError, systemErrorCode, toHoldfastError } from './holdfast-error.ts';
import { exitStatusOfKind } from './statuses.ts';

describe('HoldfastError', () => {
  it('survives the wire', () => {
    const error = new HoldfastError('password-wrong', 'No key opens.', {
      hint: 'Try the recovery key.',
      context: { keys: ['a', 'b'], tried: 2 },
    });
    const back = HoldfastError.fromReport(JSON.parse(JSON.stringify(error.toReport())));
    expect(back.toReport()).toEqual(error.toReport());
    expect(exitStatusOfKind(back.kind)).toBe(5);
  });

  it('keeps causes, stacks and unsafe details off the wire', () => {
    const error = new HoldfastError('internal', 'Broken.', { cause: new Error('secret') });
    expect(JSON.stringify(error.toReport())).not.toContain('secret');
    const received = HoldfastError.fromReport({
      code: 'internal',
      message: 'x',
      details: { a: { b: 1 }, c: 1 },
    });
    expect(received.context).toEqual({ c: 1 });
  });

  it('reads a code of a later version as internal', () => {
    expect(HoldfastError.fromReport({ code: 'not-yet-invented', message: 'x' }).code).toBe('internal');
  });

  it('knows aborts and strangers', () => {
    expect(toHoldfastError(new DOMException('stop', 'AbortError')).code).toBe('interrupted');
    expect(toHoldfastError('odd').code).toBe('internal');
    expect(isHoldfastError(new HoldfastError('interrupted', 'x'), 'interrupted')).toBe(true);
    expect(isHoldfastError(new HoldfastError('interrupted', 'x'), 'internal')).toBe(false);
    expect(systemErrorCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(systemErrorCode('x')).toBeUndefined();
  });
});

describe('abort', () => {
  it('ends a sleep at once, with the code interrupted', async () => {
    const controller = new AbortController();
    const sleeping = sleep(3_600_000, { signal: controller.signal });
    controller.abort();
    await expect(sleeping).rejects.toMatchObject({ code: 'interrupted' });
    expect(() => throwIfAborted(controller.signal)).toThrow(HoldfastError);
  });

  it('throws the reason where that is an error of ours', async () => {
    const reason = new HoldfastError('freeze-limit-reached', 'Too long.');
    await expect(sleep(1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
