import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { type Abortable, HoldfastError, sleep, throwIfAborted } from '@holdfast/base';
import type Dockerode from 'dockerode';
import { translateEngineError } from './engine-error.ts';
import type { EngineLink } from './engine-link.ts';
import { copyFrames } from './exec-frames.ts';

const quickTimeoutMs = 15_000;
/** The engine may tell the end of the output a moment before it knows the exit code. */
const exitPollMs = 25;
const exitPolls = 200;

export interface ExecOptions extends Abortable {
  /** Program and arguments. No shell unless it names one. */
  readonly command: readonly string[];
  /** For the whole run, from its start to the end of its output. */
  readonly timeoutMs: number;
  /** `NAME=value` */
  readonly environment?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
}

/**
 * One command that runs inside a container.
 *
 * Both outputs must be read to their ends (or resumed): what is not read holds the command up, so memory stays bounded.
 * End `stdin` for the command to see the end of its input. When the signal fires, the time is over or the session is
 * disposed early, the outputs are destroyed with that error; the command itself goes on, as Docker has no way to end it.
 */
export interface ExecSession extends AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles after both outputs have ended. */
  readonly exitCode: Promise<number>;
}

export async function openExecSession(
  link: EngineLink,
  container: string,
  options: ExecOptions,
): Promise<ExecSession> {
  const { exec, socket } = await startExec(link, container, options);
  // Writing to a command that has ended is no failure of the session: its outputs and exit code tell.
  socket.on('error', () => {});
  const outputs = { stdout: new PassThrough(), stderr: new PassThrough() };
  const cut = new AbortController();
  const exitCode = runToEnd({ link, container, exec, socket, outputs, cut, options });
  // Whoever listens at one place only learns of a failure there.
  exitCode.catch(() => {});
  outputs.stdout.on('error', () => {});
  outputs.stderr.on('error', () => {});
  return {
    stdin: socket,
    ...outputs,
    exitCode,
    async [Symbol.asyncDispose]() {
      cut.abort(new HoldfastError('interrupted', 'The command was left before its end.'));
      await exitCode.catch(() => {});
    },
  };
}

async function startExec(link: EngineLink, container: string, options: ExecOptions) {
  const { command, environment = [], workingDir, user, signal } = options;
  const subject = { kind: 'container', name: container } as const;
  const action = `run a command in container ${container}`;
  return link.call({ action, subject, timeoutMs: quickTimeoutMs, signal }, async (abortSignal) => {
    const exec = await link.dockerode.getContainer(encodeURIComponent(container)).exec({
      Cmd: [...command],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Env: [...environment],
      ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
      ...(user === undefined ? {} : { User: user }),
      abortSignal,
    });
    return { exec, socket: await exec.start({ hijack: true, stdin: true, abortSignal }) };
  });
}

interface Run {
  readonly link: EngineLink;
  readonly container: string;
  readonly exec: Dockerode.Exec;
  readonly socket: Duplex;
  readonly outputs: { readonly stdout: PassThrough; readonly stderr: PassThrough };
  readonly cut: AbortController;
  readonly options: ExecOptions;
}

async function runToEnd({ link, container, exec, socket, outputs, cut, options }: Run): Promise<number> {
  const onAbort = () => cut.abort(options.signal?.reason);
  const timer = setTimeout(() => cut.abort(tookTooLong(container, options.timeoutMs)), options.timeoutMs);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  cut.signal.addEventListener('abort', () => socket.destroy(), { once: true });
  if (options.signal?.aborted) onAbort();
  try {
    await copyFrames(socket, outputs, cut);
    outputs.stdout.end();
    outputs.stderr.end();
    return await exitCodeOf(link, exec, cut.signal);
  } catch (error) {
    const failure = cut.signal.aborted ? cutReason(cut.signal) : describe(error, link, container);
    outputs.stdout.destroy(failure);
    outputs.stderr.destroy(failure);
    throw failure;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

/** Only known after the output's end. */
async function exitCodeOf(link: EngineLink, exec: Dockerode.Exec, signal: AbortSignal): Promise<number> {
  for (let poll = 0; poll < exitPolls; poll++) {
    const state = await link.call(
      { action: 'tell how a command ended', timeoutMs: quickTimeoutMs, signal },
      (abortSignal) => exec.inspect({ abortSignal }),
    );
    if (!state.Running && state.ExitCode !== null) return state.ExitCode;
    await sleep(exitPollMs, { signal });
  }
  throw new HoldfastError('docker-refused', 'The output of the command ended, but the command did not.', {
    context: { engineMessage: 'still running' },
  });
}

function describe(error: unknown, { host }: EngineLink, container: string): HoldfastError {
  return translateEngineError(error, { host, action: `run a command in container ${container}` });
}

function cutReason(signal: AbortSignal): HoldfastError {
  try {
    throwIfAborted(signal);
  } catch (error) {
    if (error instanceof HoldfastError) return error;
  }
  return new HoldfastError('interrupted', 'The work was interrupted.');
}

function tookTooLong(container: string, timeoutMs: number): HoldfastError {
  return new HoldfastError(
    'command-timeout',
    `A command in container ${container} did not end within ${Math.round(timeoutMs / 1000)} s.`,
    { hint: 'Allow it more time, or see why it hangs: it still runs in the container.' },
  );
}
