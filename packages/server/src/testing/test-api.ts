import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Client, createClient, type Right, rights } from '@holdfast/protocol';
import { pino } from 'pino';
import { createIds } from '../catalog/ids.ts';
import { openCatalog } from '../catalog/open-catalog.ts';
import { compose } from '../composition/compose.ts';
import { loadConfig } from '../config/load-config.ts';
import { type Logger, silentLogger } from '../config/logger.ts';
import { createTokenStore } from '../features/tokens/store.ts';
import { createHttpServer } from '../http/create-http-server.ts';
import { createSealer } from '../secrets/sealer.ts';
import { serverVersion } from '../server-version.ts';
import { createFixtures } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface TestApiOptions {
  readonly dockerHost?: string;
  readonly vaultDirectory?: string;
  readonly importLimitBytes?: string;
  readonly logger?: Logger;
}

/** The whole server but for what works on jobs, on an empty SQLite catalog and data directory of its own. */
export async function openTestApi(options: TestApiOptions = {}) {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const clock = createManualClock();
  const config = await loadConfig({
    flags: {
      data: directory.path,
      'docker-host': options.dockerHost ?? `unix://${join(directory.path, 'no-docker.sock')}`,
      ...(options.vaultDirectory === undefined ? {} : { vault: options.vaultDirectory }),
      ...(options.importLimitBytes === undefined ? {} : { 'import-limit-bytes': options.importLimitBytes }),
    },
    environment: {},
    isRoot: false,
    workingDirectory: directory.path,
  });
  const { dataDirectory } = config;
  const catalog = stack.use(await openCatalog({ dataDirectory, url: null, clock, logger: silentLogger }));
  const server = await compose({
    config,
    catalog,
    sealer: createSealer(randomBytes(32)),
    clock,
    logger: options.logger ?? silentLogger,
    version: serverVersion(),
    serverId: '0123456789abcdef',
    instance: 'test',
    dataProcess: { handOver: () => {}, [Symbol.asyncDispose]: async () => {} },
    moverMain: '/nonexistent/main.ts',
  });
  const app = await createHttpServer({
    handlers: server.handlers,
    authenticate: server.tokens.authenticate,
    version: serverVersion(),
    isLoopbackOnly: true,
    log: pino({ level: 'silent' }),
  });
  stack.defer(async () => await app.close());
  stack.defer(async () => await server.notifications.stop());

  /** A token with these rights; all when left out. */
  async function tokenWith(granted: readonly Right[] = rights): Promise<string> {
    const token = randomBytes(8).toString('hex');
    const hash = createHash('sha256').update(token).digest('hex');
    const tokens = createTokenStore({ catalog, clock, ids: createIds() });
    await tokens.put({ name: `test ${token}`, hash, rights: granted });
    return token;
  }

  return {
    app,
    catalog,
    clock,
    config,
    /** Delivers nothing until it is started. */
    notifications: server.notifications,
    tokenWith,
    fixtures: createFixtures(catalog, clock),
    /** Listens on a real socket, and calls it as a program would. */
    listen: async (): Promise<Client> => {
      const url = await app.listen({ host: '127.0.0.1', port: 0 });
      return createClient({ url, token: await tokenWith() });
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}
