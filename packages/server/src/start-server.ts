import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Abortable,
  type Clock,
  HoldfastError,
  systemClock,
  systemErrorCode,
  toHoldfastError,
} from '@holdfast/base';
import type { ServerFile } from '@holdfast/protocol';
import type { FastifyInstance } from 'fastify';
import { openCatalog } from './catalog/open-catalog.ts';
import { compose } from './composition/compose.ts';
import { tasksFolder } from './composition/tasks-folder.ts';
import { openDataDirectory } from './config/data-directory.ts';
import type { Config } from './config/load-config.ts';
import type { Logger } from './config/logger.ts';
import type { ListenAddress } from './config/parse-value.ts';
import { createServerLog, toLogger } from './config/server-log.ts';
import type { UploadService } from './features/uploads/service.ts';
import { createHttpServer } from './http/create-http-server.ts';
import { isLoopback } from './http/host-check.ts';
import { createDataProcess } from './runner/data-process.ts';
import { makePrivateDirectory } from './secrets/private-directory.ts';
import { writePrivateFile } from './secrets/private-file.ts';
import { openSealKey } from './secrets/seal-key.ts';
import { readServerId } from './secrets/server-id.ts';
import { serverVersion } from './server-version.ts';

const hourMs = 3_600_000;
/** How often what is due without anybody asking is looked for. */
const careEveryMs = 600_000;

/** A server that answers. Disposing it is a graceful stop: it takes no more work, ends or hands over what it has. */
export interface RunningServer extends AsyncDisposable {
  /** Where it listens, as a client on this machine calls it. */
  readonly url: string;
  readonly version: string;
}

export interface StartServerOptions {
  /** What every time and duration of the server is by; its movers and guards have the machine's. */
  readonly clock?: Clock | undefined;
  /** How often it is looked whether a backup is due; of the machine's time. */
  readonly schedulesEveryMs?: number | undefined;
}

/**
 * Starts a server: takes the data directory, opens the catalog, takes over the jobs of the server before, and listens.
 * `server.json` in the data directory tells where, and `token` there opens it.
 *
 * @throws HoldfastError `server-already-running`, `configuration-invalid`, `address-in-use`, `catalog-unreachable`,
 *   `catalog-newer`, `secret-unreadable`
 */
export async function startServer(
  config: Config,
  { clock = systemClock, schedulesEveryMs }: StartServerOptions = {},
): Promise<RunningServer> {
  await using starting = new AsyncDisposableStack();
  const version = serverVersion();
  const log = createServerLog(config.logLevel);
  const logger = toLogger(log);
  const { dataDirectory } = config;
  starting.use(await openDataDirectory(dataDirectory));
  const sealer = await openSealKey(dataDirectory);
  const serverId = await readServerId(dataDirectory);
  const catalog = starting.use(await openCatalog({ dataDirectory, url: config.catalogUrl, clock, logger }));
  await makePrivateDirectory(tasksFolder(config));
  const dataProcess = createDataProcess(programOf('data-server'));
  const { handlers, tokens, executor, scheduler, uploads, notifications, ...ofItself } = await compose({
    config,
    catalog,
    sealer,
    clock,
    schedulesEveryMs,
    logger,
    version,
    serverId,
    instance: randomBytes(8).toString('hex'),
    dataProcess,
    moverMain: programOf('mover'),
  });
  await tokens.ensureLocal(dataDirectory, serverId);
  starting.use(await removeOldUploads(uploads, logger));
  const isLoopbackOnly = isLoopback(config.listen.host);
  const http = await createHttpServer({
    handlers,
    authenticate: tokens.authenticate,
    version,
    isLoopbackOnly,
    // Its one line at `info` says what the user is told in better words.
    log: config.logLevel === 'info' ? log.child({}, { level: 'warn' }) : log,
  });
  starting.defer(async () => await http.close());
  // Before the API: that would wait for downloads, which go on without the server.
  starting.use(dataProcess);
  const url = await listen(http, config.listen);
  // Stopped after the jobs are: what becomes of them is still queued, and told here or by the next server.
  starting.defer(async () => await notifications.stop());
  notifications.start();
  // Stopped before the API is: whoever follows a job sees how it ended.
  starting.defer(async () => {
    await scheduler.stop();
    await executor.stop();
  });
  await executor.recover();
  executor.start();
  if (config.followsSchedules) scheduler.start();
  const { maintenance, vaultWatch, carryOutDeletions } = ofItself;
  starting.use(
    fromTimeToTime('What is due for repositories could not be queued.', maintenance.queueDue, logger),
  );
  starting.use(fromTimeToTime('Deletions could not be carried out.', carryOutDeletions, logger));
  starting.use(fromTimeToTime('Vaults could not be looked at.', vaultWatch.look, logger));
  const serverFile: ServerFile = { url, pid: process.pid, version };
  const serverFilePath = join(dataDirectory, 'server.json');
  await writePrivateFile(serverFilePath, `${JSON.stringify(serverFile)}\n`);
  starting.defer(async () => await rm(serverFilePath, { force: true }));

  const running = starting.move();
  return { url, version, [Symbol.asyncDispose]: async () => await running.disposeAsync() };
}

/** Absolute path. */
function programOf(packageName: string): string {
  return fileURLToPath(new URL(`../../${packageName}/src/main.ts`, import.meta.url));
}

/** Now, and every hour until it is disposed of. */
async function removeOldUploads(
  uploads: Pick<UploadService, 'removeOld'>,
  logger: Logger,
): Promise<Disposable> {
  const remove = async (): Promise<void> => {
    try {
      await uploads.removeOld();
    } catch (error) {
      logger.warn('Old uploads could not be removed.', { error: toHoldfastError(error).toReport() });
    }
  };
  await remove();
  const timer = setInterval(() => void remove(), hourMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** One after the other, until it is disposed of. */
function fromTimeToTime(
  failure: string,
  work: (options: Abortable) => Promise<void>,
  logger: Logger,
): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  const once = async (): Promise<void> => {
    try {
      await work({ signal });
    } catch (error) {
      if (!signal.aborted) logger.warn(failure, { error: toHoldfastError(error).toReport() });
    } finally {
      running = undefined;
    }
  };
  const timer = setInterval(() => {
    running ??= once();
  }, careEveryMs);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      stopping.abort(new HoldfastError('server-lost', 'The server was stopped.'));
      await running;
    },
  };
}

async function listen(http: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    throw cannotListen(`${host}:${port}`, error);
  }
  const bound = http.server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `http://${callableHost(host)}:${boundPort}`;
}

/** A server that listens on every address is called on loopback. */
function callableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function cannotListen(address: string, cause: unknown): HoldfastError {
  const code = systemErrorCode(cause) ?? 'unknown';
  if (code === 'EADDRINUSE') {
    return new HoldfastError('address-in-use', `Another program listens on ${address}.`, {
      hint: 'Stop it, or choose another address (--listen HOST:PORT; port 0 takes any that is free).',
      context: { address },
      cause,
    });
  }
  return new HoldfastError('configuration-invalid', `The server cannot listen on ${address} (${code}).`, {
    hint: 'Choose an address of this machine, and a port above 1023 unless you are root (--listen HOST:PORT).',
    context: { address, reason: code },
    cause,
  });
}
