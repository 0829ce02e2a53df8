import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type ParseValue,
  parseAddressRanges,
  parseBytes,
  parseCatalogUrl,
  parseChoice,
  parseDockerHost,
  parseDuration,
  parseImage,
  parseInteger,
  parseListen,
  parsePath,
  parseTimeZone,
} from './parse-value.ts';

/** One setting: where it comes from, what it may be, and what it is when nobody says anything. */
export interface ConfigKey<T> {
  /** Environment variables, the strongest first; the flag and the name in the file are the key's own. */
  readonly variables: readonly string[];
  /** What stands for the value in `--help`. */
  readonly placeholder: string;
  readonly parse: ParseValue<T>;
  /** As text, for whoever starts the server; null where there is none. */
  readonly default: (host: ConfigHost) => string | null;
  /** The default in words, for the documentation. */
  readonly defaultInWords: string;
  readonly description: string;
  /** True for what must not be shown. */
  readonly isSecret?: true;
}

/** What the defaults depend on. */
export interface ConfigHost {
  readonly isRoot: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The data directory, once it is known. */
  readonly dataDirectory: string;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

const key = <T>(definition: ConfigKey<T>): ConfigKey<T> => definition;

/** Every setting of the server. `docs/configuration.md` and `--help` are made from this table. */
export const configKeys = {
  data: key({
    variables: ['HOLDFAST_DATA'],
    placeholder: 'DIRECTORY',
    parse: parsePath,
    default: ({ isRoot, environment }) => defaultDataDirectory(isRoot, environment),
    defaultInWords:
      '`/var/lib/holdfast` for root, otherwise `holdfast` in `XDG_DATA_HOME` (`~/.local/share/holdfast`)',
    description: 'Holds the catalog, the keys, the first token and the running tasks. For this server alone.',
  }),
  listen: key({
    variables: ['HOLDFAST_LISTEN'],
    placeholder: 'HOST:PORT',
    parse: parseListen,
    default: () => '127.0.0.1:8420',
    defaultInWords: '`127.0.0.1:8420`',
    description:
      'Where the API is served, without TLS. Port 0 takes any that is free; `server.json` in the data directory says which.',
  }),
  'docker-host': key({
    variables: ['HOLDFAST_DOCKER_HOST', 'DOCKER_HOST'],
    placeholder: 'unix:///PATH',
    parse: parseDockerHost,
    default: () => 'unix:///var/run/docker.sock',
    defaultInWords: '`unix:///var/run/docker.sock`',
    description: 'The Docker Engine whose Compose projects are backed up.',
  }),
  vault: key({
    variables: ['HOLDFAST_VAULT'],
    placeholder: 'DIRECTORY',
    parse: parsePath,
    default: ({ dataDirectory }) => join(dataDirectory, 'vault'),
    defaultInWords: '`vault` in the data directory',
    description: 'The directory of the default vault: where backups are kept.',
  }),
  'catalog-url': key({
    variables: ['HOLDFAST_CATALOG_URL'],
    placeholder: 'postgres://…',
    parse: parseCatalogUrl,
    default: () => null,
    defaultInWords: 'none: SQLite, in the data directory',
    description: 'A PostgreSQL database for the catalog, which several servers may share.',
    isSecret: true,
  }),
  'hold-limit': key({
    variables: ['HOLDFAST_HOLD_LIMIT'],
    placeholder: 'DURATION',
    parse: parseDuration(100, 86_400_000),
    default: () => '10s',
    defaultInWords: '`10s`',
    description:
      'The longest time that an environment stays paused for a backup; then it is thawed and the backup fails.',
  }),
  concurrency: key({
    variables: ['HOLDFAST_CONCURRENCY'],
    placeholder: 'NUMBER',
    parse: parseInteger(1, 64),
    default: () => '2',
    defaultInWords: '`2`',
    description:
      'How many jobs run at once. Jobs of one environment always run one after the other. The upload limit of a vault is for all of them together: each gets an equal part of it.',
  }),
  'code-limit-bytes': key({
    variables: ['HOLDFAST_CODE_LIMIT_BYTES'],
    placeholder: 'SIZE',
    parse: parseBytes,
    default: () => '5G',
    defaultInWords: '`5G`',
    description:
      "How large a project's folder may be to be kept as code; of a larger one, only the Compose files are.",
  }),
  'code-limit-entries': key({
    variables: ['HOLDFAST_CODE_LIMIT_ENTRIES'],
    placeholder: 'NUMBER',
    parse: parseInteger(1, 999_999_999),
    default: () => '500000',
    defaultInWords: '`500000`',
    description: 'The same for how many files and folders it may have.',
  }),
  compose: key({
    variables: ['HOLDFAST_COMPOSE'],
    placeholder: 'PATH',
    parse: parsePath,
    default: () => null,
    defaultInWords: 'the plugin of the `docker` command, or `docker-compose` in `PATH`',
    description:
      'The program of Docker Compose 2 that says what the Compose files of a project come to, so that a backup tells in what its containers are otherwise.',
  }),
  'import-allow': key({
    variables: ['HOLDFAST_IMPORT_ALLOW'],
    placeholder: 'CIDR,…',
    parse: parseAddressRanges,
    default: () => '',
    defaultInWords: 'none: only the public Internet',
    description:
      'Ranges of addresses, such as `10.1.2.0/24,fd00::/64`, that imports may download from although they are private, loopback or link-local.',
  }),
  'import-limit-bytes': key({
    variables: ['HOLDFAST_IMPORT_LIMIT_BYTES'],
    placeholder: 'SIZE',
    parse: parseBytes,
    default: () => '1T',
    defaultInWords: '`1T`',
    description: 'The largest download or upload that is imported; `K`, `M`, `G` and `T` are binary units.',
  }),
  'import-limit-unpacked-bytes': key({
    variables: ['HOLDFAST_IMPORT_LIMIT_UNPACKED_BYTES'],
    placeholder: 'SIZE',
    parse: parseBytes,
    default: () => '1T',
    defaultInWords: '`1T`',
    description: 'The most that an imported archive may have unpacked.',
  }),
  'import-limit-entries': key({
    variables: ['HOLDFAST_IMPORT_LIMIT_ENTRIES'],
    placeholder: 'NUMBER',
    parse: parseInteger(1, 999_999_999),
    default: () => '2000000',
    defaultInWords: '`2000000`',
    description: 'How many files, folders and other entries an imported archive may have.',
  }),
  'import-limit-ratio': key({
    variables: ['HOLDFAST_IMPORT_LIMIT_RATIO'],
    placeholder: 'NUMBER',
    parse: parseInteger(1, 999_999_999),
    default: () => '1000',
    defaultInWords: '`1000`',
    description:
      'How many times its own size an imported archive may have unpacked; looked at once that is more than 100 MiB.',
  }),
  'import-limit-time': key({
    variables: ['HOLDFAST_IMPORT_LIMIT_TIME'],
    placeholder: 'DURATION',
    parse: parseDuration(1000, 20 * 86_400_000),
    default: () => '24h',
    defaultInWords: '`24h`',
    description: 'How long the download of an import may take in all.',
  }),
  image: key({
    variables: ['HOLDFAST_IMAGE'],
    placeholder: 'IMAGE',
    parse: parseImage,
    default: () => null,
    defaultInWords:
      "the server's own image where it runs in a container, otherwise `holdfast` with the server's version as its tag",
    description:
      "The image of Holdfast that mover containers are made from, by name or id. It has to be of the server's version.",
  }),
  schedules: key({
    variables: ['HOLDFAST_SCHEDULES'],
    placeholder: 'on|off',
    parse: parseChoice(['on', 'off']),
    default: () => 'on',
    defaultInWords: '`on`',
    description: 'With `off`, nothing is backed up by itself.',
  }),
  timezone: key({
    variables: ['HOLDFAST_TIMEZONE'],
    placeholder: 'ZONE',
    parse: parseTimeZone,
    default: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
    defaultInWords: "the machine's",
    description: 'By which schedules are due that name no time zone of their own, such as `Europe/Berlin`.',
  }),
  'log-level': key({
    variables: ['HOLDFAST_LOG_LEVEL'],
    placeholder: 'LEVEL',
    parse: parseChoice(logLevels),
    default: () => 'info',
    defaultInWords: '`info`',
    description: `What is logged to standard error: ${logLevels.join(', ')}.`,
  }),
};

export type ConfigKeyName = keyof typeof configKeys;

export const configKeyNames = Object.keys(configKeys) as readonly ConfigKeyName[];

/** The variable that names the configuration file. */
export const configFileVariable = 'HOLDFAST_CONFIG';

export function defaultDataDirectory(
  isRoot: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (isRoot) return '/var/lib/holdfast';
  const xdg = environment.XDG_DATA_HOME;
  const home = xdg?.startsWith('/') ? xdg : join(environment.HOME ?? homedir(), '.local/share');
  return join(home, 'holdfast');
}
