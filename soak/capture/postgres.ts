import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { PgbenchLoad } from '../../bench/environment/pgbench-load.ts';
import { PostgresService } from '../../bench/environment/postgres.ts';
import type { Commit, Found, Subject, SubjectKind } from './subject.ts';

const clients = 2;
const pgbenchScale = '2';
const now = (): number => performance.timeOrigin + performance.now();

/** PostgreSQL under pgbench, with clients beside it that note what they were told is committed, and when. */
export const postgres: SubjectKind = {
  name: 'postgres',
  wrecked: ['db'],
  open: async (environment) => {
    const server = await PostgresService.start(environment);
    await server.program('pgbench', '--initialize', '--quiet', '--scale', pgbenchScale, 'postgres');
    const ledger = 'create table ledger (id bigint primary key, started double precision, filler text)';
    for (const line of [ledger, 'create extension amcheck']) {
      await server.program('psql', '--quiet', '--command', line, 'postgres');
    }
    const subject = new PostgresUnderLoad(server);
    await subject.resume();
    return subject;
  },
};

class PostgresUnderLoad implements Subject {
  readonly #server: PostgresService;
  readonly #load: PgbenchLoad;
  #lastId = 0;
  #commits: Commit[] = [];
  #isWriting = false;
  #clients: Promise<unknown> = Promise.resolve();

  constructor(server: PostgresService) {
    this.#server = server;
    this.#load = new PgbenchLoad(server.port);
  }

  async quiesce(): Promise<readonly Commit[]> {
    this.#isWriting = false;
    await this.#clients;
    return this.#commits;
  }

  async find(): Promise<Found> {
    await this.#server.untilReady();
    const problems: string[] = [];
    const check = async (name: string, ...args: readonly string[]): Promise<void> => {
      try {
        await this.#server.program(name, ...args);
      } catch (error) {
        problems.push(`${name}: ${error instanceof Error ? error.message : error}`);
      }
    };
    await check('pg_amcheck', '--heapallindexed', '--parent-check', 'postgres');
    await check('pg_dump', '--file', '/dev/null', 'postgres');
    await using client = await this.#connect();
    const sums = await client.query(sumsOfPgbench);
    const [first, ...others] = Object.values<unknown>(sums.rows[0] ?? {}).map(Number);
    if (others.some((sum) => sum !== first)) problems.push(`pgbench's sums: ${JSON.stringify(sums.rows[0])}`);
    const { rows } = await client.query<{ id: string; started: number }>('select id, started from ledger');
    return { problems, rows: rows.map(({ id, started }) => ({ id: Number(id), startedMs: started })) };
  }

  async resume(): Promise<void> {
    await this.#load.start();
    this.#isWriting = true;
    this.#commits = [];
    this.#clients = Promise.all(Array.from({ length: clients }, () => this.#runClient()));
    // Looked at when it is waited for.
    this.#clients.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWriting = false;
    await this.#clients;
    await this.#load[Symbol.asyncDispose]();
  }

  /** One transaction after the other. */
  async #runClient(): Promise<void> {
    await using client = await this.#connect();
    while (this.#isWriting) {
      this.#lastId += 1;
      const [id, startedMs] = [this.#lastId, now()];
      await client.query("insert into ledger values ($1, $2, repeat('x', 200))", [id, startedMs]);
      this.#commits.push({ id, startedMs, endedMs: now() });
      await delay(2);
    }
  }

  async #connect(): Promise<pg.Client & AsyncDisposable> {
    const { port } = this.#server;
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
    await client.connect();
    return Object.assign(client, { [Symbol.asyncDispose]: async () => await client.end() });
  }
}

/** Each of pgbench's transactions adds the same amount to one row of each table. */
const sumsOfPgbench = `select (select coalesce(sum(abalance), 0) from pgbench_accounts) as accounts,
  (select coalesce(sum(tbalance), 0) from pgbench_tellers) as tellers,
  (select coalesce(sum(bbalance), 0) from pgbench_branches) as branches,
  (select coalesce(sum(delta), 0) from pgbench_history) as history`;
