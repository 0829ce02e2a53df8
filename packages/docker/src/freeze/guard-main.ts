/**
 * The guard: a process of its own that brings frozen containers back, whatever becomes of the server and the mover.
 * Started by `startGuard`, spoken to as in `guard-protocol.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { exitStatus, HoldfastError, ownProcessIdentity, toHoldfastError } from '@holdfast/base';
import { connectDocker } from '../engine-port/connect-docker.ts';
import { findOwnContainer } from '../own-container/own-container.ts';
import { recallSpec, rememberSpec } from './guard-memory.ts';
import { guardSocket } from './guard-program.ts';
import { type GuardEvent, type GuardSpec, parseGuardMessage, parseGuardSpec } from './guard-protocol.ts';
import { type GuardLives, runGuard } from './run-guard.ts';
import { ThawTrigger } from './thaw-trigger.ts';

/** The engine starts it again whenever it ends; it is over when its container is removed. */
const isContainer = process.argv.includes('--container');
/** Of a server that died before it could say what for. */
const specTimeoutMs = 60_000;

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
  emit({ type: 'ready' });
  if (isContainer) await guardInContainer();
  else await guard(await spec.promise);
  process.exit(exitStatus.done);
} catch (error) {
  emit({ type: 'failed', error: toHoldfastError(error).toReport() });
  process.exit(exitStatus.failed);
}

async function guard(given: GuardSpec, lives?: GuardLives): Promise<void> {
  const { pid, startTicks } = ownProcessIdentity();
  const run = { spec: given, trigger, emit, process: { pid, startTicks } };
  await runGuard(lives === undefined ? run : { ...run, lives });
  emit({ type: 'ended' });
}

/** Removes its own container at the end. Any failure is one of this life alone. */
async function guardInContainer(): Promise<void> {
  const recalled = recallSpec();
  setTimeout(() => spec.reject(notUnderstood()), specTimeoutMs).unref();
  const lives: GuardLives = { wasArmed: recalled !== undefined, remember: rememberSpec };
  let failure: unknown;
  try {
    await guard(recalled ?? (await spec.promise), lives);
  } catch (error) {
    // Armed, it has to come back; else there is nothing to come back for.
    if (recallSpec() !== undefined) throw error;
    emit({ type: 'failed', error: toHoldfastError(error).toReport() });
    failure = error;
  }
  await removeOwnContainer();
  if (failure !== undefined) throw failure;
}

async function removeOwnContainer(): Promise<void> {
  const docker = await connectDocker({ host: guardSocket });
  const own = await findOwnContainer(docker);
  if (own !== undefined) await docker.containers.remove(own.id);
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
