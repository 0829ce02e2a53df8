import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkippedCase } from '../lib/bench.ts';
import type { WorkloadRecipe } from './workload.ts';

const installedBelow = '/usr/lib/postgresql';
/** Each adds about 15 MiB. */
const pgbenchScale = 65;
const transactions = 20_000;
/** Little write-ahead log stays behind: the data are the tables. */
const walOptions = '-c max_wal_size=64MB -c min_wal_size=32MB';
const serverOptions = (folder: string) =>
  `-c listen_addresses= -c unix_socket_directories=${folder} -c fsync=off -c autovacuum=off ${walOptions}`;

/**
 * The data directory of a PostgreSQL server that pgbench filled and worked on, stopped in order: about 1 GiB.
 * Its files are pages of 8 KiB with the usual mixture of text, numbers and free space.
 */
export const postgresDirectory: WorkloadRecipe = {
  name: 'postgres-directory',
  async build(path, { scale }) {
    const server = new PostgresServer();
    try {
      server.init();
      server.run(
        'pg_ctl',
        '-D',
        server.data,
        '-w',
        '-l',
        server.log,
        '-o',
        serverOptions(server.folder),
        'start',
      );
      const pgbench = ['-h', server.folder, 'postgres'];
      const tables = Math.max(1, Math.round(pgbenchScale * scale));
      server.run('pgbench', '--initialize', '--quiet', '--scale', String(tables), ...pgbench);
      const count = String(Math.floor((transactions * scale) / 4));
      server.run(
        'pgbench',
        '--client',
        '4',
        '--transactions',
        count,
        '--random-seed',
        '7',
        '--no-vacuum',
        ...pgbench,
      );
      server.run('pg_ctl', '-D', server.data, '-w', '-m', 'fast', 'stop');
      cpSync(server.data, path, { recursive: true, preserveTimestamps: true });
    } finally {
      server.remove();
    }
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
    return { files: files.length, bytes, postgresql: server.version };
  },
};

/** A server in a folder that its own user can reach, wherever inputs are kept. */
class PostgresServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-postgres-'));
  readonly data = join(this.folder, 'data');
  readonly log = join(this.folder, 'log');
  readonly version: string;
  readonly #programs: string;
  readonly #user: readonly string[];

  constructor() {
    const versions = existsSync(installedBelow) ? readdirSync(installedBelow).sort() : [];
    this.version = versions.findLast((name) => existsSync(join(installedBelow, name, 'bin/pgbench'))) ?? '';
    if (this.version === '') throw new SkippedCase('PostgreSQL is not installed: apt-get install postgresql');
    this.#programs = join(installedBelow, this.version, 'bin');
    this.#user = process.getuid?.() === 0 ? this.#giveAway() : [];
  }

  init(): void {
    const options = [
      '--auth',
      'trust',
      '--encoding',
      'UTF8',
      '--no-locale',
      '--no-sync',
      '--username',
      'postgres',
    ];
    this.run('initdb', '--pgdata', this.data, ...options);
  }

  run(program: string, ...args: readonly string[]): void {
    const [command = '', ...rest] = [...this.#user, join(this.#programs, program), ...args];
    const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', PGUSER: 'postgres' };
    execFileSync(command, rest, { cwd: '/', env, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  remove(): void {
    try {
      if (existsSync(join(this.data, 'postmaster.pid')))
        this.run('pg_ctl', '-D', this.data, '-m', 'immediate', 'stop');
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** PostgreSQL refuses to run as root. */
  #giveAway(): readonly string[] {
    const [uid, gid] = ['-u', '-g'].map((option) =>
      Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' })),
    );
    if (uid === undefined || gid === undefined) throw new Error('There is no user postgres.');
    chownSync(this.folder, uid, gid);
    return ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  }
}
