import { randomBytes } from 'node:crypto';
import { databasesImage } from './capture-bench.ts';
import { mustRunDocker } from './docker-command.ts';

const clients = 4;

/** pgbench with four clients as fast as it goes, in a container that is of no environment: it is never paused. */
export class PgbenchLoad implements AsyncDisposable {
  readonly #container = `hfbench-load-${randomBytes(4).toString('hex')}`;

  static async start(port: number): Promise<PgbenchLoad> {
    const load = new PgbenchLoad();
    const line = `exec /usr/lib/postgresql/*/bin/pgbench -h 127.0.0.1 -p ${port} -U postgres -n -c ${clients} -T 1000000 postgres`;
    const container = ['--name', load.#container, '--network', 'host', '--user', 'root'];
    await mustRunDocker(['run', '--detach', ...container, databasesImage(), 'sh', '-c', line]);
    return load;
  }

  /** It ends when its server goes away: then it has to be started again. */
  async startAgain(): Promise<void> {
    await mustRunDocker(['restart', '--time', '0', this.#container]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await mustRunDocker(['rm', '--force', this.#container]);
  }
}
