import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type AppEnvironment, freePort, inContainer } from '../../bench/environment/app-environment.ts';
import { databasesImage } from '../../bench/environment/capture-bench.ts';
import { eventually } from '../../e2e/support/process.ts';
import type { Commit, Found, Subject, SubjectKind } from './subject.ts';

const startTimeoutMs = 120_000;
const now = (): number => performance.timeOrigin + performance.now();
const tables = `create database app; use app;
  create table ledger (id bigint primary key, started double, filler varchar(300)) engine=InnoDB;
  create table other (id bigint primary key, n bigint, key (n)) engine=InnoDB;`;

/** MariaDB with a client that notes what it was told is committed, and when. */
export const mariadb: SubjectKind = {
  name: 'mariadb',
  wrecked: ['db'],
  open: async (environment) => {
    const port = await freePort();
    const command = ['sh', inContainer('soak/programs/mariadb.sh'), '/db/data', String(port)];
    await environment.start({ name: 'db', command, mounts: { db: '/db' } });
    const subject = new MariadbUnderWrites(environment, port);
    await subject.untilReady();
    await environment.exec('db', 'mariadb', ...subject.address, '--execute', tables);
    subject.write();
    return subject;
  },
};

class MariadbUnderWrites implements Subject {
  readonly #environment: AppEnvironment;
  readonly address: readonly string[];
  #lastId = 0;
  #commits: Commit[] = [];
  #isWriting = false;
  #client: Promise<void> = Promise.resolve();

  constructor(environment: AppEnvironment, port: number) {
    this.#environment = environment;
    this.address = ['--host=127.0.0.1', `--port=${port}`, '--user=root'];
  }

  write(): void {
    this.#isWriting = true;
    this.#commits = [];
    this.#client = this.#runClient();
    // Looked at when it is waited for.
    this.#client.catch(() => {});
  }

  async quiesce(): Promise<readonly Commit[]> {
    this.#isWriting = false;
    await this.#client;
    return this.#commits;
  }

  async find(): Promise<Found> {
    await this.untilReady();
    const checked = await this.#environment.exec(
      'db',
      'mariadb-check',
      ...this.address,
      '--check',
      '--extended',
      'app',
    );
    const problems = checked
      .trim()
      .split('\n')
      .filter((line) => !/^app\.\w+\s+OK$/.test(line));
    const query = 'select id, started from app.ledger; select count(*), sum(id - n) from app.other';
    const output = await this.#environment.exec('db', 'mariadb', ...this.address, '-N', '-B', '-e', query);
    const lines = output.trim().split('\n');
    const [others, difference] = (lines.pop() ?? '').split('\t').map(Number);
    const rows = lines.map((line) => {
      const [id, startedMs] = line.split('\t').map(Number);
      return { id: id ?? 0, startedMs: startedMs ?? 0 };
    });
    if (others !== rows.length || difference !== 0) {
      problems.push(`${rows.length} rows in one table, ${others} in the other; they differ by ${difference}`);
    }
    return { problems, rows };
  }

  async resume(): Promise<void> {
    this.write();
    await Promise.resolve();
  }

  async untilReady(): Promise<void> {
    const answers = async () => {
      try {
        await this.#environment.exec('db', 'mariadb', ...this.address, '--execute', 'select 1');
        return true;
      } catch {
        return false;
      }
    };
    await eventually('MariaDB answers', answers, startTimeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWriting = false;
    await this.#client;
  }

  /** The stock client, in a container that is of no environment: one transaction after the other. */
  async #runClient(): Promise<void> {
    const client = spawn(
      'docker',
      [
        ...['run', '--rm', '--interactive', '--network', 'host', '--user', 'root', databasesImage()],
        ...['mariadb', ...this.address, '--unbuffered', '--batch', '--skip-column-names', 'app'],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const ended = once(client, 'close');
    const answers = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
    while (this.#isWriting) await this.#commitOne(client, answers);
    client.stdin.end();
    await ended;
  }

  async #commitOne(client: ChildProcess, answers: AsyncIterator<string>): Promise<void> {
    this.#lastId += 1;
    const [id, startedMs] = [this.#lastId, now()];
    const inserts = `insert into ledger values (${id}, ${startedMs}, repeat('x', 200)); insert into other values (${id}, ${id});`;
    client.stdin?.write(`begin; ${inserts} commit; select ${id};\n`);
    const { value, done } = await answers.next();
    if (done === true || Number(value) !== id) throw new Error(`MariaDB answered ${value}.`);
    this.#commits.push({ id, startedMs, endedMs: now() });
  }
}
