/**
 * The guard: a process of its own that brings frozen containers back, whatever becomes of the server and the mover.
 * Started by `startGuard`, spoken to as in `guard-protocol.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { exitStatus, HoldfastError, ownProcessIdentity, toHoldfastError } from '@holdfast/base';
import { type GuardEvent, type GuardSpec, parseGuardMessage, parseGuardSpec } from './guard-protocol.ts';
import { runGuard } from './run-guard.ts';
import { ThawTrigger } from './thaw-trigger.ts';

const trigger = new ThawTrigger();

process.on('SIGHUP', () => {});
process.on('SIGINT', () => {});
process.on('SIGTERM', () => trigger.thaw('terminated'));
// Nobody may be listening any more; the containers come first.
process.stdout.on('error', () => {});

// A stray error of a connection must not end the guard; thawing early is the safe side.
process.on('uncaughtException', () => trigger.thaw('terminated'));
process.on('unhandledRejection', () => trigger.thaw('terminated'));

const spec = Promise.withResolvers<GuardSpec>();
// Looked at once the guard is ready.
spec.promise.catch(() => {});
let isFirstLine = true;
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (isFirstLine) {
    isFirstLine = false;
    const parsed = parseGuardSpec(line);
    if (parsed === undefined) spec.reject(notUnderstood());
    else spec.resolve(parsed);
    return;
  }
  const message = parseGuardMessage(line);
  if (message === 'release') trigger.release();
  if (message === 'thaw') trigger.thaw('told');
});
const onEnd = () => {
  spec.reject(notUnderstood());
  trigger.thaw('abandoned');
};
lines.on('close', onEnd);
process.stdin.on('error', onEnd);

try {
  await standFirm();
  const { pid, startTicks } = ownProcessIdentity();
  await runGuard({ spec: await spec.promise, trigger, emit, process: { pid, startTicks } });
  emit({ type: 'ended' });
  process.exit(exitStatus.done);
} catch (error) {
  emit({ type: 'failed', error: toHoldfastError(error).toReport() });
  process.exit(exitStatus.failed);
}

function emit(event: GuardEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** When memory runs out, others end first. Needs root; without, the guard is as likely to end as any. */
async function standFirm(): Promise<void> {
  await writeFile('/proc/self/oom_score_adj', '-900').catch(() => {});
}

function notUnderstood(): HoldfastError {
  return new HoldfastError('usage-invalid', 'The guard was given no spec that it understands.', {
    hint: 'It is started by Holdfast itself, never by hand.',
  });
}
