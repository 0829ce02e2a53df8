import { HoldfastError } from '@holdfast/base';

/** What a preset fills in. */
export interface Preset {
  readonly backup: { readonly command: string; readonly endPattern: string | null };
  readonly restore: { readonly command: string };
}

interface PresetKind {
  /** What it is of and how, as sentences for the documentation. */
  readonly summary: string;
  /** What stands behind the colon; null for a preset without. */
  readonly argument: string | null;
  readonly make: (argument: string) => Preset;
}

/**
 * `variable NAME FALLBACK`: a password, from the variable or, as images take secrets, from the file that NAME_FILE names.
 */
function secret(name: string, fallback = ''): string {
  return `$(if [ -n "\${${name}_FILE:-}" ]; then cat "$${name}_FILE"; else printf %s "\${${name}:-${fallback}}"; fi)`;
}

/** Waits for a minute at most: a container that was just started may still be busy with its own start. */
function waitFor(probe: string): string {
  return `tries=0
until ${probe} >/dev/null 2>&1 || [ "$tries" -ge 60 ]; do tries=$((tries + 1)); sleep 1; done`;
}

const postgresLogin = `export PGUSER="\${POSTGRES_USER:-postgres}" PGDATABASE="\${POSTGRES_DB:-\${POSTGRES_USER:-postgres}}"
PGPASSWORD="${secret('POSTGRES_PASSWORD')}"; export PGPASSWORD
${waitFor('pg_isready --quiet')}`;

/** Empties the database, so that nothing that came after the backup stays or stands in the way. */
const postgresClear = `DO $holdfast$
DECLARE
  item record;
  owner name;
  acl aclitem[];
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SELECT pg_get_userbyid(nspowner), nspacl INTO owner, acl FROM pg_namespace WHERE nspname = $t$public$t$;
  FOR item IN SELECT evtname FROM pg_event_trigger LOOP
    EXECUTE format($t$DROP EVENT TRIGGER IF EXISTS %I CASCADE$t$, item.evtname);
  END LOOP;
  FOR item IN SELECT pubname FROM pg_publication LOOP
    EXECUTE format($t$DROP PUBLICATION %I$t$, item.pubname);
  END LOOP;
  FOR item IN SELECT nspname FROM pg_namespace WHERE nspname !~ $t$^pg_|^information_schema$$t$ LOOP
    EXECUTE format($t$DROP SCHEMA %I CASCADE$t$, item.nspname);
  END LOOP;
  FOR item IN SELECT fdwname FROM pg_foreign_data_wrapper LOOP
    EXECUTE format($t$DROP FOREIGN DATA WRAPPER IF EXISTS %I CASCADE$t$, item.fdwname);
  END LOOP;
  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
  EXECUTE format($t$CREATE SCHEMA public AUTHORIZATION %I$t$, COALESCE(owner, current_user));
  FOR item IN SELECT privilege_type, grantee FROM aclexplode(acl) LOOP
    EXECUTE format($t$GRANT %s ON SCHEMA public TO %s$t$, item.privilege_type,
      CASE item.grantee WHEN 0 THEN $t$PUBLIC$t$ ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
  END LOOP;
END $holdfast$`;

const postgres: PresetKind = {
  summary:
    'PostgreSQL, 12 or later: the one database that `POSTGRES_DB` names, as `POSTGRES_USER`. Dumped in one transaction, in the custom format (`pg_restore` reads it), which has no mark at its end: the status of `pg_dump` is what counts. Restored in one transaction too: it empties the database first and, if anything fails, leaves it as it was. Roles belong to the server and are in no dump.',
  argument: null,
  make: () => ({
    backup: {
      command: `${postgresLogin}
exec pg_dump --no-password --format=custom --compress=0`,
      endPattern: null,
    },
    restore: {
      command: `${postgresLogin}
clear='${postgresClear};'
broken='DO $$ BEGIN RAISE EXCEPTION $t$the dump could not be read to its end$t$; END $$;'
{
  printf '%s\\n' 'SET client_min_messages = error; BEGIN;' "$clear"
  pg_restore --single-transaction --file=- || printf '%s\\n' "$broken"
} | psql --no-password --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 --file=-`,
    },
  }),
};

interface MysqlPrograms {
  readonly dump: string;
  readonly client: string;
  readonly admin: string;
  readonly prefixes: readonly string[];
  readonly dumpOptions: string;
}

function mysqlLogin({ prefixes, admin, client }: MysqlPrograms): string {
  const lines = prefixes.map(
    (prefix) => `if [ -z "$password" ]; then password="${secret(`${prefix}_ROOT_PASSWORD`)}"; fi
if [ -z "$database" ]; then database="\${${prefix}_DATABASE:-}"; fi
if [ -z "$other" ]; then other="\${${prefix}_USER:-}"; other_password="${secret(`${prefix}_PASSWORD`)}"; fi`,
  );
  return `user=root password= database= other= other_password=
${lines.join('\n')}
if [ -z "$password" ] && [ -n "$other" ]; then user=$other password=$other_password; fi
export MYSQL_PWD="$password"
${waitFor(`${admin} --user="$user" ping`)}
if [ -n "$database" ]; then set -- "$database"; else
set -- $(${client} --user="$user" --skip-column-names --batch --execute='SHOW DATABASES' |
  grep -Evx 'mysql|sys|information_schema|performance_schema'); fi`;
}

function mysqlPreset(programs: MysqlPrograms): Preset {
  const { dump, client, dumpOptions } = programs;
  const login = mysqlLogin(programs);
  return {
    backup: {
      command: `${login}
exec ${dump} --user="$user" --single-transaction --quick --routines --events --triggers --hex-blob --add-drop-database${dumpOptions} --databases "$@"`,
      endPattern: '\\n-- Dump completed[^\\n]*\\n',
    },
    restore: {
      command: `${login}
exec ${client} --user="$user" --batch --binary-mode`,
    },
  };
}

const mariadb: PresetKind = {
  summary:
    'MariaDB: the database that `MARIADB_DATABASE` names, else all but the server’s own; as root or, without its password, as `MARIADB_USER`. Dumped in one transaction (InnoDB tables; others are of their own moments). The restore makes each database anew: MariaDB cannot do that in one transaction.',
  argument: null,
  make: () =>
    mysqlPreset({
      dump: 'mariadb-dump',
      client: 'mariadb',
      admin: 'mariadb-admin',
      prefixes: ['MARIADB', 'MYSQL'],
      dumpOptions: '',
    }),
};

const mysql: PresetKind = {
  summary:
    'MySQL: as `mariadb`, with MySQL’s own programs and the variables `MYSQL_…`. Not tried on a real server.',
  argument: null,
  make: () =>
    mysqlPreset({
      dump: 'mysqldump',
      client: 'mysql',
      admin: 'mysqladmin',
      prefixes: ['MYSQL'],
      dumpOptions: ' --no-tablespaces --set-gtid-purged=OFF',
    }),
};

const mongoLogin = `set --
if [ -n "\${MONGO_INITDB_ROOT_USERNAME:-}" ] || [ -n "\${MONGO_INITDB_ROOT_USERNAME_FILE:-}" ]; then
set -- --username="${secret('MONGO_INITDB_ROOT_USERNAME')}" --password="${secret('MONGO_INITDB_ROOT_PASSWORD')}" --authenticationDatabase=admin
fi`;

const mongodb: PresetKind = {
  summary:
    'MongoDB: everything, as `MONGO_INITDB_ROOT_USERNAME`. Each collection is of its own moment, unless nothing writes meanwhile. The restore replaces collection by collection. Not tried on a real server.',
  argument: null,
  make: () => ({
    backup: {
      command: `${mongoLogin}
exec mongodump --archive "$@"`,
      endPattern: null,
    },
    restore: {
      command: `${mongoLogin}
exec mongorestore --archive --drop --stopOnError "$@"`,
    },
  }),
};

const redisLogin = `REDISCLI_AUTH="\${REDISCLI_AUTH:-${secret('REDIS_PASSWORD')}}"; export REDISCLI_AUTH
[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
${waitFor('redis-cli --no-auth-warning ping')}`;

const inFolder = `folder=$(mktemp -d) || exit`;

const redis: PresetKind = {
  summary:
    'Redis and Valkey: the whole data set as an RDB file, of one moment. The restore checks the file, has a second server of the same container load it, lets the first take everything over from that as its replica, and makes it a primary again: it goes on serving, and a file that does not load changes nothing. The password comes from `REDIS_PASSWORD`.',
  argument: null,
  make: () => ({
    backup: {
      command: `${redisLogin}
${inFolder}; trap 'rm -rf "$folder"' EXIT
redis-cli --rdb "$folder/dump.rdb" >&2 || exit
cat "$folder/dump.rdb"`,
      endPattern: '\\xff[^]{8}$',
    },
    restore: {
      command: `${redisLogin}
${inFolder}; port=36379
second() { env -u REDISCLI_AUTH redis-cli -h 127.0.0.1 -p "$port" "$@"; }
leave() { code=$?; second shutdown nosave >/dev/null 2>&1; wait; rm -rf "$folder"; exit "$code"; }
trap leave EXIT
cat >"$folder/dump.rdb" || exit
redis-check-rdb "$folder/dump.rdb" >&2 || exit
redis-server --port "$port" --bind 127.0.0.1 --protected-mode yes --dir "$folder" --dbfilename dump.rdb --save '' --appendonly no --repl-diskless-sync-delay 0 >&2 &
server=$!
until [ "$(second ping 2>/dev/null)" = PONG ]; do kill -0 "$server" 2>/dev/null || exit 1; sleep 0.2; done
redis-cli replicaof 127.0.0.1 "$port" >/dev/null || exit
linked() { redis-cli info replication | grep -q 'master_link_status:up'; }
tries=0
until linked; do
  kill -0 "$server" 2>/dev/null && [ "$tries" -lt 3000 ] || { redis-cli replicaof no one >/dev/null; echo 'The data was not taken over.' >&2; exit 1; }
  tries=$((tries + 1)); sleep 0.2
done
redis-cli replicaof no one >/dev/null || exit
echo "$(redis-cli dbsize) keys in the first database" >&2`,
    },
  }),
};

const sqlite: PresetKind = {
  summary:
    'SQLite: one database file, copied in one transaction while the app goes on. The restore checks the copy and writes it over the database in one transaction. `sqlite3` has to be in the image.',
  argument: 'path of the database in the container, as in `sqlite:/data/app.db`',
  make: (path) => ({
    backup: {
      command: `file=${quoted(path)}
[ -f "$file" ] || { echo "There is no $file." >&2; exit 1; }
${inFolder}; trap 'rm -rf "$folder"' EXIT
sqlite3 -bail -cmd '.timeout 60000' "$file" "VACUUM INTO '$folder/copy'" >&2 || exit
cat "$folder/copy"`,
      endPattern: null,
    },
    restore: {
      command: `file=${quoted(path)}
${inFolder}; trap 'rm -rf "$folder"' EXIT
cat >"$folder/copy" || exit
[ "$(sqlite3 "$folder/copy" 'PRAGMA integrity_check')" = ok ] || { echo 'The copy is damaged.' >&2; exit 1; }
sqlite3 -bail -cmd '.timeout 60000' "$file" ".restore '$folder/copy'" >&2`,
    },
  }),
};

export const presetKinds = { postgres, mysql, mariadb, mongodb, redis, sqlite } as const;

/**
 * @param text a preset's name, with a colon and its argument where it takes one
 * @throws HoldfastError `usage-invalid` naming those that there are
 */
export function presetOf(text: string): Preset {
  const [name = '', ...rest] = text.split(':');
  const argument = rest.join(':');
  const kind = Object.entries(presetKinds).find(([each]) => each === name)?.[1];
  if (kind === undefined) {
    throw new HoldfastError('usage-invalid', `There is no preset ${name}.`, {
      hint: `There are: ${Object.keys(presetKinds).join(', ')}.`,
      context: { preset: text },
    });
  }
  if ((kind.argument === null) !== (argument === '')) {
    throw new HoldfastError(
      'usage-invalid',
      kind.argument === null
        ? `The preset ${name} takes nothing behind a colon.`
        : `The preset ${name} needs the ${kind.argument}.`,
      { context: { preset: text } },
    );
  }
  return kind.make(argument);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
