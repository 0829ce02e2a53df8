import { type Abortable, HoldfastError } from '@holdfast/base';
import { type Container, type DockerEngine, startCommand } from '@holdfast/docker';
import type { JobRun } from '../../jobs/execution/job-handler.ts';
import type { HoldingContainer } from './container-watch.ts';

/** Told to a command by this variable, and with an HTTP request by this header: after so long it has to release by itself. */
const secondsVariable = 'HOLDFAST_HOLD_SECONDS';
const secondsHeader = 'Holdfast-Hold-Seconds';
const releaseTries = 3;
const callMs = 5000;

export interface HoldCommandsOptions extends Abortable {
  readonly docker: Pick<DockerEngine, 'containers'>;
  readonly limitMs: number;
  readonly log: JobRun['log'];
  /** They may hold already, for a server that is gone. */
  readonly mayHold?: boolean;
}

/**
 * Proxies that hold requests by commands of their own: what the labels `holdfast.hold` and `holdfast.release` say, a line
 * of shell in the container, or `http://localhost:PORT/PATH`, which is asked of that container and of nothing else.
 */
export class HoldCommands {
  readonly #containers: readonly HoldingContainer[];
  readonly #options: HoldCommandsOptions;
  #hasBegun: boolean;

  constructor(containers: readonly HoldingContainer[], options: HoldCommandsOptions) {
    this.#containers = containers;
    this.#options = options;
    this.#hasBegun = options.mayHold ?? false;
  }

  get names(): readonly string[] {
    return this.#containers.map(({ name }) => name);
  }

  /** @throws HoldfastError `hold-failed`; call `release` then, too */
  async hold(): Promise<void> {
    this.#hasBegun = true;
    const { signal } = this.#options;
    // None is still being told to hold when all are told to release.
    const told = await Promise.allSettled(
      this.#containers.map(async (container) => {
        try {
          await this.#run(container, container.hold, { signal });
        } catch (error) {
          throw holdFailed(container, error);
        }
      }),
    );
    for (const each of told) if (each.status === 'rejected') throw each.reason;
  }

  /** Never throws: what cannot be told is logged, and releases by itself. */
  async release(): Promise<void> {
    if (!this.#hasBegun) return;
    this.#hasBegun = false;
    await Promise.all(this.#containers.map(async (container) => await this.#release(container)));
  }

  async #release(container: HoldingContainer): Promise<void> {
    let reason = '';
    for (let tries = 0; tries < releaseTries; tries += 1) {
      try {
        await this.#run(container, container.release, {});
        return;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    this.#options.log('error', `${container.name} could not be told to release its requests: ${reason}`);
  }

  async #run(container: HoldingContainer, action: string, { signal }: Abortable): Promise<void> {
    const seconds = String(Math.ceil(this.#options.limitMs / 1000));
    if (/^https?:\/\//i.test(action)) await call(container, action, { seconds, signal });
    else await this.#runCommand(container, action, { seconds, signal });
  }

  async #runCommand(
    { containerId }: HoldingContainer,
    command: string,
    { seconds, signal }: Abortable & { readonly seconds: string },
  ): Promise<void> {
    const { docker } = this.#options;
    await using running = await startCommand(docker.containers, containerId, command, {
      timeoutMs: callMs,
      environment: [`${secondsVariable}=${seconds}`],
      signal,
    });
    running.stdin.end();
    running.stdout.resume();
    const { exitCode, errors } = await running.ended;
    if (exitCode !== 0) throw new Error(`exit status ${exitCode}. ${errors.trim().slice(-300)}`);
  }
}

async function call(
  { addresses }: Pick<Container, 'addresses'>,
  action: string,
  { seconds, signal }: Abortable & { readonly seconds: string },
): Promise<void> {
  const url = new URL(action);
  const [address] = addresses;
  if (url.hostname !== 'localhost' || address === undefined) {
    throw new Error(
      'Only its own container is asked, as http://localhost:PORT/PATH, by an address on a network.',
    );
  }
  url.hostname = address.includes(':') ? `[${address}]` : address;
  const timeout = AbortSignal.timeout(callMs);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { [secondsHeader]: seconds },
    redirect: 'error',
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`It answered ${answer.status}.`);
}

function holdFailed({ name }: HoldingContainer, cause: unknown): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HoldfastError('hold-failed', `${name} could not be told to hold requests: ${reason}`, {
    hint: 'See its labels holdfast.hold and holdfast.release.',
    context: { container: name },
    cause,
  });
}
