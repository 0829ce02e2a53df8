import { dirname, join, resolve } from 'node:path';
import { type ConfigFile, invalidConfig, readConfigFile } from './config-file.ts';
import {
  type ConfigHost,
  type ConfigKey,
  type ConfigKeyName,
  configFileVariable,
  configKeys,
  type logLevels,
} from './config-keys.ts';
import type { ListenAddress } from './parse-value.ts';

/** The server's settings, checked. Paths are absolute. */
export interface Config {
  readonly dataDirectory: string;
  readonly listen: ListenAddress;
  readonly dockerHost: string;
  readonly vaultDirectory: string;
  /** Null: SQLite in the data directory. Holds a password: never logged. */
  readonly catalogUrl: string | null;
  readonly holdLimitMs: number;
  readonly concurrency: number;
  readonly timezone: string;
  /** Whether schedules are followed. */
  readonly followsSchedules: boolean;
  /** Above which a project's folder is not kept as code. */
  readonly codeLimits: { readonly bytes: number; readonly entries: number };
  /** Docker Compose; null: whatever is found. */
  readonly composeProgram: string | null;
  readonly imports: ImportSettings;
  /** Null: the server's own, or the one of its version. */
  readonly image: string | null;
  readonly logLevel: (typeof logLevels)[number];
}

/** What an import may come to. */
export interface ImportSettings {
  /** In CIDR notation. */
  readonly allowedRanges: readonly string[];
  /** Of the source as it comes. */
  readonly limitBytes: number;
  readonly limitMs: number;
  readonly archiveLimits: {
    readonly entries: number;
    readonly unpackedBytes: number;
    readonly ratio: number;
  };
}

export type ConfigFlags = Readonly<Partial<Record<ConfigKeyName, string>>>;

export interface LoadConfigOptions {
  /** By key, as given on the command line. */
  readonly flags: ConfigFlags;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  /** What relative paths of flags and variables start from; those of the file start from its folder. */
  readonly workingDirectory: string;
}

/** A value as somebody gave it, and where: for messages. */
interface Given {
  readonly text: string;
  readonly origin: string;
  readonly folder: string;
}

/**
 * Reads the settings: flags, then variables, then the file that `HOLDFAST_CONFIG` names or, without it,
 * `holdfast.yaml` in the data directory. Empty variables count as not set.
 *
 * @throws HoldfastError `configuration-invalid` naming the key, where it was given, and what it may be
 */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  const { environment, isRoot } = options;
  const namedFile = await readNamedFile(options);
  const dataDirectory = required(
    read('data', configKeys.data, {
      options,
      file: namedFile,
      host: { isRoot, environment, dataDirectory: '' },
    }),
  );
  const file = namedFile ?? (await readFoundFile(dataDirectory));
  const sources: Sources = { options, file, host: { isRoot, environment, dataDirectory } };
  return {
    dataDirectory,
    listen: required(read('listen', configKeys.listen, sources)),
    dockerHost: required(read('docker-host', configKeys['docker-host'], sources)),
    vaultDirectory: required(read('vault', configKeys.vault, sources)),
    catalogUrl: read('catalog-url', configKeys['catalog-url'], sources),
    holdLimitMs: required(read('hold-limit', configKeys['hold-limit'], sources)),
    concurrency: required(read('concurrency', configKeys.concurrency, sources)),
    followsSchedules: read('schedules', configKeys.schedules, sources) === 'on',
    timezone: required(read('timezone', configKeys.timezone, sources)),
    codeLimits: {
      bytes: required(read('code-limit-bytes', configKeys['code-limit-bytes'], sources)),
      entries: required(read('code-limit-entries', configKeys['code-limit-entries'], sources)),
    },
    composeProgram: read('compose', configKeys.compose, sources),
    imports: importSettings(sources),
    image: read('image', configKeys.image, sources),
    logLevel: required(read('log-level', configKeys['log-level'], sources)),
  };
}

function importSettings(sources: Sources): ImportSettings {
  return {
    allowedRanges: read('import-allow', configKeys['import-allow'], sources) ?? [],
    limitBytes: required(read('import-limit-bytes', configKeys['import-limit-bytes'], sources)),
    limitMs: required(read('import-limit-time', configKeys['import-limit-time'], sources)),
    archiveLimits: {
      entries: required(read('import-limit-entries', configKeys['import-limit-entries'], sources)),
      unpackedBytes: required(
        read('import-limit-unpacked-bytes', configKeys['import-limit-unpacked-bytes'], sources),
      ),
      ratio: required(read('import-limit-ratio', configKeys['import-limit-ratio'], sources)),
    },
  };
}

async function readNamedFile({
  environment,
  workingDirectory,
}: LoadConfigOptions): Promise<ConfigFile | undefined> {
  const name = environment[configFileVariable] ?? '';
  if (name === '') return undefined;
  const file = await readConfigFile(resolve(workingDirectory, name));
  if (file !== undefined) return file;
  throw invalidConfig(
    `The configuration file ${name} does not exist.`,
    `Make it, or unset ${configFileVariable}.`,
  );
}

async function readFoundFile(dataDirectory: string): Promise<ConfigFile | undefined> {
  const file = await readConfigFile(join(dataDirectory, 'holdfast.yaml'));
  if (file?.values.has('data') !== true) return file;
  throw invalidConfig(
    `The key data stands in ${file.path}, which lies in the data directory itself.`,
    `Set it by --data or HOLDFAST_DATA, or name another file by ${configFileVariable}.`,
  );
}

interface Sources {
  readonly options: LoadConfigOptions;
  readonly file: ConfigFile | undefined;
  readonly host: ConfigHost;
}

/** Null where nobody gave a value and there is no default. */
function read<T>(name: ConfigKeyName, key: ConfigKey<T>, sources: Sources): T | null {
  const given = find(name, key, sources);
  if (given === undefined) return null;
  const parsed = key.parse(given.text, given.folder);
  if ('value' in parsed) return parsed.value;
  const shown = key.isSecret === true ? '' : ` but is ${JSON.stringify(given.text)}`;
  throw invalidConfig(`${given.origin} ${parsed.problem}${shown}.`, key.description);
}

function find<T>(name: ConfigKeyName, key: ConfigKey<T>, sources: Sources): Given | undefined {
  const { flags, environment, workingDirectory: folder } = sources.options;
  const flag = flags[name];
  if (flag !== undefined) return { text: flag, origin: `--${name}`, folder };
  for (const variable of key.variables) {
    const text = environment[variable];
    if (text !== undefined && text !== '') return { text, origin: variable, folder };
  }
  const written = sources.file?.values.get(name);
  if (written !== undefined && sources.file !== undefined) {
    const { path } = sources.file;
    return { text: written, origin: `The key ${name} in ${path}`, folder: dirname(path) };
  }
  const text = key.default(sources.host);
  return text === null ? undefined : { text, origin: `The default of ${name}`, folder };
}

function required<T>(value: T | null): T {
  if (value !== null) return value;
  throw invalidConfig('A setting has neither a value nor a default.', 'This is a defect of Holdfast.');
}
