import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { HoldfastError, isHoldfastError, sleep } from '@holdfast/base';
import type { Attachment } from '../engine-port/attachment.ts';
import type { DockerEngine, NewContainer } from '../engine-port/docker-engine.ts';

/** A program in a container of its own, as close to a child process as that gets. */
export interface AttachedRun {
  /** May be written to at once; its end is the end of the program's input, as is the death of this process. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Resolves when the container has ended and is removed, or nobody knows it any more, with its exit status where that
   * could be learnt. Rejects when it could not be started; then nothing of it is left.
   */
  readonly ended: Promise<number | null>;
  /** Ends it at once; may be called at any time and more than once. */
  kill(): void;
}

export interface RunAttachedOptions {
  /** The engine, which may still have to be reached. */
  readonly connect: () => Promise<Pick<DockerEngine, 'containers'>>;
  /** Made to take input and, unless it has a restart policy, to be removed at its end: one that has removes itself. */
  readonly container: () => Promise<NewContainer> | NewContainer;
}

const pollMs = 1000;

/** Creates, attaches, starts, in this order, so that nothing which it says is lost. */
export function runAttached(options: RunAttachedOptions): AttachedRun {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const killed = new AbortController();
  const ended = runToEnd({ ...options, stdin, stdout, stderr, killed: killed.signal });
  const close = (): void => {
    stdout.end();
    stderr.end();
    stdin.destroy();
  };
  ended.then(close, close);
  return { stdin, stdout, stderr, ended, kill: () => killed.abort() };
}

interface Run extends RunAttachedOptions {
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly killed: AbortSignal;
}

type Containers = DockerEngine['containers'];

async function runToEnd(run: Run): Promise<number | null> {
  const { containers } = await run.connect();
  const spec = await run.container();
  throwIfKilled(run);
  const removesItself = spec.restartPolicy === undefined;
  const id = await containers.create({ ...spec, takesInput: true, removesItself });
  let attachment: Attachment;
  let removed: Promise<number | null>;
  try {
    throwIfKilled(run);
    attachment = await containers.attach(id);
    removed = removal(containers, id);
    await containers.start(id);
  } catch (error) {
    await removeIfThere(containers, id);
    throw error;
  }
  using attached = attachment;
  const kill = (): void => void removeIfThere(containers, id).catch(() => {});
  if (run.killed.aborted) kill();
  run.killed.addEventListener('abort', kill);
  run.stdin.pipe(attached.stdin);
  attached.stdout.pipe(run.stdout, { end: false });
  attached.stderr.pipe(run.stderr, { end: false });
  const outputs = [attached.stdout, attached.stderr].map(async (output) => await once(output, 'end'));
  try {
    const status = await removed;
    await Promise.race([Promise.all(outputs), sleep(pollMs)]);
    return status;
  } finally {
    run.killed.removeEventListener('abort', kill);
  }
}

/** Waits through restarts of the engine; null where the status is not known. */
async function removal(containers: Containers, id: string): Promise<number | null> {
  for (;;) {
    try {
      return await containers.waitUntilRemoved(id);
    } catch (error) {
      if (isHoldfastError(error, 'container-unknown')) return null;
      await sleep(pollMs);
    }
    if (await hasEnded(containers, id)) return null;
  }
}

/** One that an engine which was restarted did not remove ends here. */
async function hasEnded(containers: Containers, id: string): Promise<boolean> {
  try {
    const { state } = await containers.inspect(id);
    if (state.running) return false;
    await removeIfThere(containers, id);
    return true;
  } catch (error) {
    return isHoldfastError(error, 'container-unknown');
  }
}

/** Kills it if it runs. One that somebody else removes already is waited for by `removal`. */
export async function removeIfThere(containers: Pick<Containers, 'remove'>, id: string): Promise<void> {
  try {
    await containers.remove(id);
  } catch (error) {
    if (!isHoldfastError(error, 'container-unknown', 'docker-refused')) throw error;
  }
}

function throwIfKilled({ killed }: Run): void {
  if (killed.aborted)
    throw new HoldfastError('interrupted', 'The container was ended before it had started.');
}
