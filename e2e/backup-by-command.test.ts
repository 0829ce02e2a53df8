import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backup } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeProject } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { eventually } from './support/process.ts';

/** Presets on real servers: what was there comes back, and what came later is gone. */

const environment = 'dumped';

let holdfast: Holdfast;
let project: ComposeProject;
let backup: Backup;

interface Subject {
  readonly component: string;
  /** A shell line that runs a query. */
  readonly ask: (query: string) => string;
  readonly isUp: string;
  readonly fill: readonly string[];
  readonly wreck: readonly string[];
  /** Says all that matters. */
  readonly state: string;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const subjects: readonly Subject[] = [
  {
    component: 'postgres',
    ask: (query) => `psql -U shop -qtA -v ON_ERROR_STOP=1 -c ${quoted(query)}`,
    isUp: 'select 1',
    fill: [
      'create table item (id serial primary key, name text unique, data bytea)',
      "insert into item (name, data) select 'item ' || i, decode(md5(i::text), 'hex') from generate_series(1, 5000) i",
      'create schema sales; create view sales.few as select * from item where id < 10',
      'create role seller; grant usage on schema public to seller; grant select on item to seller',
      "create function twice(integer) returns integer language sql as 'select 2 * $1'",
      "select lo_from_bytea(4711, 'a large object')",
      "create type mood as enum ('glad', 'sad')",
    ],
    wreck: [
      'delete from item where id > 20',
      'create table later (id integer references item)',
      'create view sales.depends as select * from item',
      'drop function twice(integer)',
      'create publication all_of_it for all tables',
    ],
    state: `select json_build_array(
      (select count(*) from item), (select md5(string_agg(name || data::text, ',' order by id)) from item),
      (select count(*) from sales.few), twice(21), convert_from(lo_get(4711), 'UTF8'), nextval('item_id_seq') > 5000,
      to_regclass('later'), to_regclass('sales.depends'), has_table_privilege('seller', 'item', 'select'),
      has_schema_privilege('seller', 'public', 'usage'), (select count(*) from pg_publication), 'glad'::mood)`,
  },
  {
    component: 'mariadb',
    ask: (query) => `MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -uroot -NB shop -e ${quoted(query)}`,
    isUp: 'select 1',
    fill: [
      'create table item (id integer auto_increment primary key, name text, data blob)',
      "insert into item (name, data) select concat('item ', seq), unhex(md5(seq)) from seq_1_to_5000",
      'create view few as select * from item where id < 10',
      'create procedure hello() select 42',
      'create trigger shout before insert on item for each row set new.name = upper(new.name)',
    ],
    wreck: [
      'delete from item where id > 20',
      'create table later (id integer)',
      'drop view few',
      'drop procedure hello',
    ],
    state: `call hello(); select count(*), md5(group_concat(concat(name, hex(data)) order by id)) from item;
      select count(*) from few; show tables;
      select trigger_name, action_statement from information_schema.triggers where trigger_schema = 'shop'`,
  },
  {
    component: 'redis',
    ask: (query) => `REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ${query}`,
    isUp: 'ping',
    fill: [
      'debug populate 5000 || REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli eval "for i=1,5000 do redis.call(\'set\', \'key:\' .. i, i) end" 0',
      'set greeting "hello there"',
      'rpush list a b c',
      '-n 3 hset in-the-third-database field value',
      'set brief value ex 5000',
    ],
    wreck: ['del greeting list', 'set later something', '-n 3 flushdb'],
    state: `dbsize; export REDISCLI_AUTH="$REDIS_PASSWORD"; redis-cli get greeting; redis-cli lrange list 0 -1; redis-cli get later;
      redis-cli -n 3 hgetall in-the-third-database; [ "$(redis-cli ttl brief)" -gt 4000 ] && echo lives; redis-cli info replication | grep role`,
  },
  {
    component: 'sqlite',
    ask: (query) => `sqlite3 /data/app.db ${quoted(query)}`,
    isUp: 'select 1',
    fill: [
      'pragma journal_mode = wal; create table item (id integer primary key, name text)',
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
        insert into item select i, 'item ' || i from n`,
      'pragma user_version = 7',
    ],
    wreck: ['delete from item where id > 20', 'create table later (id integer)', 'pragma user_version = 8'],
    state:
      'select count(*), sum(length(name)) from item; pragma user_version; select name from sqlite_schema order by 1',
  },
];

const sh = (component: string, line: string): Promise<string> => project.sh(component, line);

const before = new Map<string, string>();

beforeAll(async () => {
  holdfast = await Holdfast.start();
  project = await ComposeProject.up('dumped', environment);
  for (const { component, ask, isUp, fill, state } of subjects) {
    await eventually(
      `${component} answers`,
      async () =>
        await sh(component, ask(isUp)).then(
          () => true,
          () => false,
        ),
    );
    for (const query of fill) await sh(component, ask(query));
    before.set(component, await sh(component, ask(state)));
  }
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
});

it('one backup has the output of each preset, and none of their volumes', async () => {
  backup = await holdfast.getBackup(await holdfast.createBackup(environment, '--no-code'));
  expect(backup.parts.map(({ name }) => name).sort()).toEqual(
    subjects.map((each) => `${each.component}:command`).sort(),
  );
  const log = await holdfast.mustRun(['backup:log', backup.id]);
  for (const { component } of subjects) {
    expect(log).toMatch(new RegExp(`${component}:command: the backup command ended with status 0`));
  }
});

describe.each(subjects)('$component', ({ component, ask, wreck, state }) => {
  it('is restored from it while it runs', async () => {
    for (const query of wreck) await sh(component, ask(query));
    expect(await sh(component, ask(state)).catch(() => 'broken')).not.toBe(before.get(component));
    await holdfast.mustRun(['backup:restore', backup.id, '--component', component, '--yes']);
    expect(await sh(component, ask(state))).toBe(before.get(component));
    expect(await sh(component, 'ls -A /tmp')).not.toMatch(/tmp\./);
    const log = await holdfast.mustRun(['backup:log', backup.id, '--restore']);
    expect(log).toMatch(/the restore command ended with status 0/);
  });
});

it('the folder is restored beside it, and nothing is stopped', async () => {
  const whole = await holdfast.createBackup(environment);
  const [kept, later] = [join(project.folder, 'compose.yaml'), join(project.folder, 'later')];
  const text = readFileSync(kept, 'utf8');
  writeFileSync(kept, '# changed\n');
  writeFileSync(later, '');
  for (const { component, ask, wreck } of subjects) {
    for (const query of wreck) await sh(component, ask(query)).catch(() => '');
  }
  const startedAt = async (): Promise<string[]> =>
    await Promise.all(subjects.map(({ component }) => project.startedAt(component)));
  const started = await startedAt();
  await holdfast.mustRun(['backup:restore', whole, '--yes']);
  expect(await startedAt()).toEqual(started);
  expect([readFileSync(kept, 'utf8'), existsSync(later)]).toEqual([text, false]);
  for (const { component, ask, state } of subjects) {
    expect(await sh(component, ask(state))).toBe(before.get(component));
  }
});

it('a PostgreSQL restore that fails on the way leaves everything as it was', async () => {
  const postgres = subjects[0];
  if (postgres === undefined) throw new Error('There is no PostgreSQL.');
  const { component, ask, state } = postgres;
  await sh(component, ask("insert into item (name) values ('since then')"));
  const now = await sh(component, ask(state));
  // Whoever owns what is in the dump has to be there.
  await sh(component, ask('drop owned by seller; drop role seller'));
  const restored = await holdfast.run(['backup:restore', backup.id, '--component', component, '--yes']);
  expect(restored.status).toBe(1);
  expect(restored.stderr).toMatch(/role "seller" does not exist/);
  expect(await sh(component, ask("select count(*) from item where name = 'since then'"))).toContain('1');
  expect(now).not.toBe(before.get(component));
});

it('a dump that breaks off, though its program says that all went well, is no backup', async () => {
  const cut = '#!/bin/sh\n/usr/bin/mariadb-dump "$@" | head -c 20000\n';
  await sh(
    'mariadb',
    `printf ${quoted(cut)} >/usr/local/bin/mariadb-dump; chmod +x /usr/local/bin/mariadb-dump`,
  );
  const failed = await holdfast.run(['backup:create', environment, '--component', 'mariadb', '--no-code']);
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('error[command-output-incomplete]');
  await sh('mariadb', 'rm /usr/local/bin/mariadb-dump');
  expect(
    (await holdfast.run(['backup:create', environment, '--component', 'mariadb', '--no-code'])).status,
  ).toBe(0);
});

it('a cancelled dump leaves the database server as it is', async () => {
  await sh('postgres', "psql -U shop -qc 'begin; lock table item; select pg_sleep(600)' >/dev/null 2>&1 &");
  const queued = await holdfast.run([
    'backup:create',
    environment,
    '--component',
    'postgres',
    '--no-code',
    '--no-wait',
    '--format',
    'json',
  ]);
  const { job } = JSON.parse(queued.stdout);
  await eventually('the dump waits for the lock', async () =>
    (await sh('postgres', 'ps -e || cat /proc/[0-9]*/comm || true')).includes('pg_dump'),
  );
  await holdfast.mustRun(['job:cancel', job.id]);
  await holdfast.run(['job:watch', job.id]);
  expect(await sh('postgres', 'cat /proc/[0-9]*/comm || true')).not.toContain('pg_dump');
  expect(
    await sh(
      'postgres',
      `psql -U shop -qtAc ${quoted('select 1 from pg_stat_activity where wait_event = $$PgSleep$$')}`,
    ),
  ).toBe('1\n');
});
