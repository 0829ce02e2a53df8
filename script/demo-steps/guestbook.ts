import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from './command.ts';
import { exportedVariables } from './engine.ts';
import { freePort } from './free-port.ts';

export interface GuestbookOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const project = 'guestbook';
const usualPort = 8421;
const imagesLimitMs = 1_800_000;
const composeLimitMs = 180_000;
const healthLimitMs = 120_000;

/** What there was of the project before the demo touched it. */
interface Traces {
  readonly hasContainers: boolean;
  readonly hasVolumes: boolean;
}

/** The Compose project of examples/guestbook. */
export class Guestbook {
  readonly name = project;
  readonly url: string;
  readonly #options: GuestbookOptions;
  readonly #before: Traces;

  private constructor(url: string, options: GuestbookOptions, before: Traces) {
    this.url = url;
    this.#options = options;
    this.#before = before;
  }

  /** Makes or fetches the images, if they are not there. */
  static async imageVariables({ root, env, signal }: GuestbookOptions): Promise<Record<string, string>> {
    const program = path.join(root, 'examples/guestbook/build-images');
    return exportedVariables(
      await runCommand(program, [], { env, signal, timeoutMs: imagesLimitMs, showsNotes: true }),
    );
  }

  /**
   * Starts the project and waits until it answers.
   * @throws Error when the engine has a project of that name which is not ours
   */
  static async start(options: GuestbookOptions): Promise<Guestbook> {
    const before = await tracesOf(options);
    const port =
      options.env.GUESTBOOK_PORT ?? String((await publishedPort(options)) ?? (await freePort(usualPort)));
    const env = { ...options.env, GUESTBOOK_PORT: port };
    const guestbook = new Guestbook(`http://127.0.0.1:${port}`, { ...options, env }, before);
    try {
      await guestbook.compose(['up', '--detach', '--remove-orphans']);
      await guestbook.waitUntilHealthy();
    } catch (error) {
      await guestbook.end();
      throw error;
    }
    return guestbook;
  }

  compose(args: readonly string[], signal: AbortSignal = this.#options.signal): Promise<string> {
    return compose(args, { ...this.#options, signal });
  }

  /** Waits until the app can use its database and its cache. */
  async waitUntilHealthy(): Promise<void> {
    const { signal } = this.#options;
    const deadline = performance.now() + healthLimitMs;
    for (;;) {
      const timeout = AbortSignal.timeout(5_000);
      const response = await fetch(`${this.url}/healthz`, {
        signal: AbortSignal.any([signal, timeout]),
      }).catch(() => undefined);
      await response?.arrayBuffer();
      if (response?.ok === true) return;
      if (performance.now() > deadline)
        throw new Error(`The guestbook does not answer at ${this.url}/healthz.`);
      await delay(100, undefined, { signal });
    }
  }

  /** Removes what the demo made: containers, and volumes too if there were none before. */
  async end(): Promise<void> {
    if (this.#before.hasContainers) return;
    const volumes = this.#before.hasVolumes ? [] : ['--volumes'];
    await this.compose(['down', '--timeout', '5', ...volumes], new AbortController().signal);
  }
}

function compose(args: readonly string[], { root, env, signal }: GuestbookOptions): Promise<string> {
  const [program = 'docker', ...words] = (env.HOLDFAST_COMPOSE ?? 'docker compose').split(' ');
  const file = path.join(root, 'examples/guestbook/compose.yaml');
  return runCommand(program, [...words, '--project-name', project, '--file', file, ...args], {
    env,
    signal,
    timeoutMs: composeLimitMs,
  });
}

function docker(args: readonly string[], { env, signal }: GuestbookOptions): Promise<string> {
  return runCommand('docker', args, { env, signal, timeoutMs: 30_000 });
}

const ofProject = ['--filter', `label=com.docker.compose.project=${project}`];

async function tracesOf(options: GuestbookOptions): Promise<Traces> {
  const folderLabel = '{{.Label "com.docker.compose.project.working_dir"}}';
  const containers = lines(await docker(['ps', '--all', ...ofProject, '--format', folderLabel], options));
  const other = containers.find((folder) => !folder.endsWith('/examples/guestbook'));
  if (other !== undefined) {
    throw new Error(
      `This Docker Engine has another Compose project named "${project}", of ${other}.\n` +
        'The demo wrecks the project that it restores: remove the other one, or name another engine by DOCKER_HOST.',
    );
  }
  const volumes = lines(await docker(['volume', 'ls', '--quiet', ...ofProject], options));
  return { hasContainers: containers.length > 0, hasVolumes: volumes.length > 0 };
}

/** The port of a project that runs already. */
async function publishedPort(options: GuestbookOptions): Promise<number | undefined> {
  const ports = await docker(['ps', ...ofProject, '--format', '{{.Ports}}'], options);
  const port = /127\.0\.0\.1:(\d+)->8080/.exec(ports)?.[1];
  return port === undefined ? undefined : Number(port);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
