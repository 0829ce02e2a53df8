import { eventually } from '../../e2e/support/process.ts';
import { type AppEnvironment, freePort, inContainer } from './app-environment.ts';

const startTimeoutMs = 120_000;

/** A PostgreSQL server that is a service of an environment. */
export class PostgresService {
  readonly port: number;
  readonly #environment: AppEnvironment;
  readonly #name: string;

  private constructor(environment: AppEnvironment, name: string, port: number) {
    this.#environment = environment;
    this.#name = name;
    this.port = port;
  }

  /** Its data are in the folder `db` of the environment's; resolves when it answers. */
  static async start(environment: AppEnvironment, name = 'db'): Promise<PostgresService> {
    const port = await freePort();
    const command = ['sh', inContainer('bench/programs/postgres.sh'), '/db/data', String(port)];
    // It then ends without waiting for its clients to go, as the official image does.
    await environment.start({ name, command, mounts: { db: '/db' }, stopSignal: 'SIGINT' });
    const service = new PostgresService(environment, name, port);
    await service.untilReady();
    return service;
  }

  async untilReady(): Promise<void> {
    const answers = async () => {
      try {
        return await this.program('pg_isready', '--quiet').then(() => true);
      } catch {
        return false;
      }
    };
    await eventually('PostgreSQL answers', answers, startTimeoutMs);
  }

  /** Runs one of PostgreSQL's programs in its container; gives the output. */
  async program(name: string, ...args: readonly string[]): Promise<string> {
    const line = 'exec /usr/lib/postgresql/*/bin/"$0" -h 127.0.0.1 -U postgres "$@"';
    const port = ['-p', String(this.port)];
    return await this.#environment.exec(this.#name, 'sh', '-c', line, name, ...port, ...args);
  }
}
