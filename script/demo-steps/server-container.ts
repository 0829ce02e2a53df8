import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from './command.ts';
import { freePort } from './free-port.ts';
import type { DemoServer } from './server.ts';

export interface ServerContainerOptions {
  readonly root: string;
  /** For the compose.yaml of the demo's installation. */
  readonly dataDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A project of its own: an installation that is not the demo's is never touched. */
const project = 'holdfast-demo';
const container = `${project}-holdfast-1`;
const volume = `${project}_data`;
const dataInContainer = '/var/lib/holdfast';
const usualPort = 8420;
const imageLimitMs = 900_000;
const composeLimitMs = 120_000;
const askLimitMs = 30_000;
const startLimitMs = 60_000;

/** Builds the image and installs it by the compose.yaml that is shipped; only port and socket are what they have to be here. */
export async function startServerContainer(options: ServerContainerOptions): Promise<DemoServer> {
  const { root, env, signal } = options;
  const ask = (...args: string[]) => runCommand('docker', args, { env, signal, timeoutMs: askLimitMs });
  const limits = { env, signal, timeoutMs: imageLimitMs, showsNotes: true };
  const image = (await runCommand(path.join(root, 'script/image'), [], limits)).trim();
  const wasRunning = (await ask('ps', '--quiet', '--filter', `name=^${container}$`)).trim() !== '';
  const port = wasRunning ? await publishedPort(ask) : String(await freePort(usualPort));
  await writeComposeFile(options, { image, port });
  await compose(options, ['up', '--detach']);
  const server: DemoServer = {
    url: `http://127.0.0.1:${port}`,
    wasRunning,
    command: { program: 'docker', args: ['exec', container, 'holdfast'] },
    dataDirectory: (await ask('volume', 'inspect', '--format', '{{.Mountpoint}}', volume)).trim(),
    reportedDataDirectory: dataInContainer,
    end: async () => {
      if (!wasRunning) await compose({ ...options, signal: new AbortController().signal }, ['down']);
    },
  };
  try {
    await untilItAnswers(server.url, signal);
    return server;
  } catch (error) {
    await server.end();
    throw error;
  }
}

type Ask = (...args: string[]) => Promise<string>;

async function publishedPort(ask: Ask): Promise<string> {
  return (await ask('port', container, String(usualPort))).trim().split(':').at(-1) ?? '';
}

function composeFileOf({ dataDirectory }: ServerContainerOptions): string {
  return path.join(dataDirectory, 'compose.yaml');
}

async function writeComposeFile(
  options: ServerContainerOptions,
  { image, port }: { readonly image: string; readonly port: string },
): Promise<void> {
  const socket = (options.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');
  const shipped = await readFile(path.join(options.root, 'compose.yaml'), 'utf8');
  const adapted = shipped
    .replace('image: holdfast', `image: ${image}`)
    .replace('127.0.0.1:8420:', `127.0.0.1:${port}:`)
    .replace('/var/run/docker.sock:', `${socket}:`);
  await writeFile(composeFileOf(options), adapted);
}

function compose(options: ServerContainerOptions, args: readonly string[]): Promise<string> {
  const { env, signal } = options;
  const [program = 'docker', ...words] = (env.HOLDFAST_COMPOSE ?? 'docker compose').split(' ');
  const given = [...words, '--project-name', project, '--file', composeFileOf(options), ...args];
  return runCommand(program, given, { env, signal, timeoutMs: composeLimitMs });
}

async function untilItAnswers(url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  for (;;) {
    const timeout = AbortSignal.timeout(3_000);
    const asked = { signal: AbortSignal.any([signal, timeout]) };
    const response = await fetch(new URL('/healthz', url), asked).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok === true) return;
    if (performance.now() > deadline) {
      throw new Error(`The server in the container ${container} does not answer at ${url}: see its log.`);
    }
    await delay(100, undefined, { signal });
  }
}
