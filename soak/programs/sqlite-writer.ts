/**
 * Runs in a container: `sqlite-writer FOLDER` writes to an SQLite database in WAL mode for ever. Each transaction adds a row
 * and moves an amount between two accounts in two tables, whose sum stays what it is.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { now, tellCommit, tellFound } from './commit-teller.ts';

const accounts = 1000;
const [folder = ''] = process.argv.slice(2);
const database = new DatabaseSync(join(folder, 'ledger.db'));
database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 10000');

process.on('SIGTERM', () => process.exit());
makeTables();
look();
await write();

function look(): void {
  const problems = database
    .prepare('pragma integrity_check')
    .all()
    .map((row) => String(row.integrity_check))
    .filter((answer) => answer !== 'ok');
  const sum = database.prepare('select (select sum(n) from a) + (select sum(n) from b) as sum').get()?.sum;
  if (sum !== 0) problems.push(`the accounts sum up to ${sum}`);
  const rows = database.prepare('select id, started from ledger').all();
  tellFound({ problems, rows: rows.map(({ id, started }) => [Number(id), Number(started)]) });
}

function makeTables(): void {
  database.exec(`create table if not exists ledger (id integer primary key, started real, filler text);
    create table if not exists a (id integer primary key, n integer);
    create table if not exists b (id integer primary key, n integer)`);
  for (let id = 0; id < accounts; id += 1) {
    for (const table of ['a', 'b']) database.exec(`insert or ignore into ${table} values (${id}, 0)`);
  }
}

async function write(): Promise<void> {
  const insert = database.prepare('insert into ledger values (?, ?, ?)');
  const take = database.prepare('update a set n = n - ? where id = ?');
  const give = database.prepare('update b set n = n + ? where id = ?');
  let id = Number(database.prepare('select coalesce(max(id), 0) as last from ledger').get()?.last);
  for (;;) {
    id += 1;
    const started = now();
    database.exec('begin immediate');
    insert.run(id, started, 'x'.repeat(200));
    take.run(id % 100, id % accounts);
    give.run(id % 100, (id * 7) % accounts);
    database.exec('commit');
    tellCommit(id, started);
    // Signals come through, and the write-ahead log is not all that there is.
    if (id % 10 === 0) await delay(1);
  }
}
