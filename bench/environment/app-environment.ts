import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { mustRunDocker } from './docker-command.ts';
import { type Gap, parseBeats } from './heartbeats.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

export interface Service {
  readonly name: string;
  /** Runs beside a heartbeat. */
  readonly command: readonly string[];
  /** Folders below the environment's folder, and where the container has them. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly user?: string;
  /** Default: SIGTERM. */
  readonly stopSignal?: 'SIGINT';
}

export interface EnvironmentOptions {
  readonly name: string;
  /** The project's folder: bind mounts inside it are backed up. It is made if it is not there, and stays. */
  readonly folder: string;
  readonly image: string;
  /** Default: that of DOCKER_HOST. */
  readonly host?: string | undefined;
}

/** This checkout in a container. */
export function inContainer(path: string): string {
  return `/holdfast/${path}`;
}

export function nodeCommand(program: string, ...args: readonly string[]): readonly string[] {
  return ['node', '--disable-warning=ExperimentalWarning', inContainer(program), ...args];
}

/**
 * Containers with the labels that Compose gives, on an engine. They use the machine's own network, so
 * that nothing is measured but what they do. Removed at the end.
 */
export class AppEnvironment implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly #image: string;
  readonly #host: string | undefined;
  readonly #services: string[] = [];
  readonly #gates = new Set<string>();

  constructor({ name, folder, image, host }: EnvironmentOptions) {
    this.name = name;
    this.folder = folder;
    this.#image = image;
    this.#host = host;
    mkdirSync(folder, { recursive: true });
  }

  async start({
    name,
    command,
    mounts = {},
    labels = {},
    user = 'root',
    stopSignal,
  }: Service): Promise<void> {
    const container = this.container(name);
    const ofCompose = {
      'com.docker.compose.project': this.name,
      'com.docker.compose.service': name,
      'com.docker.compose.project.working_dir': this.folder,
      'com.docker.compose.oneoff': 'False',
      ...labels,
    };
    this.#services.push(name);
    if (labels['holdfast.gate'] !== undefined) this.#gates.add(name);
    await this.#docker([
      ...['run', '--detach', '--name', container, '--network', 'host', '--user', user],
      ...(stopSignal === undefined ? [] : ['--stop-signal', stopSignal]),
      ...Object.entries(ofCompose).flatMap(([label, value]) => ['--label', `${label}=${value}`]),
      ...Object.entries(mounts).flatMap(([from, to]) => ['--volume', `${this.folder}/${from}:${to}`]),
      ...['--volume', `${checkout}:/holdfast:ro`],
      ...['--env', `PATH=/holdfast/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin`, this.#image],
      ...nodeCommand('bench/programs/heartbeat.ts', ...command),
    ]);
  }

  container(service: string): string {
    return `${this.name}-${service}-1`;
  }

  /** All at once, as `docker compose stop` and `start` do. */
  async stopAll(): Promise<void> {
    await this.#docker(['stop', ...this.#services.map((name) => this.container(name))]);
  }

  async startAll(): Promise<void> {
    await this.#docker(['start', ...this.#services.map((name) => this.container(name))]);
  }

  /** The times in which nothing ran in the container, from its heartbeat; those since `sinceMs`. */
  async gaps(service: string, sinceMs: number): Promise<readonly Gap[]> {
    const since = (Math.floor(sinceMs) / 1000 - 1).toFixed(3);
    return parseBeats(await this.#docker(['logs', '--since', since, this.container(service)]));
  }

  /** Those that a consistent backup pauses. */
  get pausedServices(): readonly string[] {
    return this.#services.filter((name) => !this.#gates.has(name));
  }

  async exec(service: string, ...command: readonly string[]): Promise<string> {
    return await this.#docker(['exec', this.container(service), ...command]);
  }

  async remove(service: string): Promise<void> {
    await this.#docker(['rm', '--force', '--volumes', this.container(service)]);
    this.#services.splice(this.#services.indexOf(service), 1);
  }

  async state(service: string): Promise<string> {
    return (await this.#docker(['inspect', '--format', '{{.State.Status}}', this.container(service)])).trim();
  }

  async #docker(args: readonly string[]): Promise<string> {
    return await mustRunDocker(args, this.#host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#services]) await this.remove(name);
  }
}

/** A port of the loopback address on which nobody listens at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
