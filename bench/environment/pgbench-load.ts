import { randomBytes } from 'node:crypto';
import { databasesImage } from './capture-bench.ts';
import { mustRunDocker } from './docker-command.ts';

const clients = 4;

/** pgbench with four clients as fast as it goes, in a container that is of no environment: it is never paused. */
export class PgbenchLoad implements AsyncDisposable {
  readonly #container = `hfbench-load-${randomBytes(4).toString('hex')}`;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Also again: it ends when its server goes away. */
  async start(): Promise<void> {
    await this.#remove();
    const line = `exec /usr/lib/postgresql/*/bin/pgbench -h 127.0.0.1 -p ${this.#port} -U postgres -n -c ${clients} -T 1000000 postgres`;
    const container = ['--name', this.#container, '--network', 'host', '--user', 'root'];
    await mustRunDocker(['run', '--detach', ...container, databasesImage(), 'sh', '-c', line]);
  }

  async #remove(): Promise<void> {
    await mustRunDocker(['rm', '--force', this.#container]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
  }
}
