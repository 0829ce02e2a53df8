import { type ParseArgsConfig, parseArgs } from 'node:util';
import { HoldfastError } from '@holdfast/base';
import { type ConfigKeyName, configFileVariable, configKeyNames, configKeys } from './config-keys.ts';
import type { ConfigFlags } from './load-config.ts';

export type ServerFlags = { readonly want: 'help' } | { readonly want: 'run'; readonly flags: ConfigFlags };

/**
 * Reads the command line of `holdfast server`: one `--key VALUE` for each key of the configuration.
 *
 * @throws HoldfastError `usage-invalid`
 */
export function parseServerFlags(args: readonly string[]): ServerFlags {
  const values = parse(args, { command: 'server', others: {} });
  return values.help === true ? { want: 'help' } : { want: 'run', flags: configFlags(values) };
}

export type RebuildFlags =
  | { readonly want: 'help' }
  | {
      readonly want: 'run';
      readonly flags: ConfigFlags;
      readonly recoveryKeyFile: string | undefined;
      readonly asJson: boolean;
    };

/** The same for `holdfast catalog:rebuild`, which has two more. @throws HoldfastError `usage-invalid` */
export function parseRebuildFlags(args: readonly string[]): RebuildFlags {
  const command = 'catalog:rebuild';
  const values = parse(args, {
    command,
    others: { 'recovery-key-file': { type: 'string' }, format: { type: 'string' } },
  });
  if (values.help === true) return { want: 'help' };
  const { format = 'plain', 'recovery-key-file': file } = values;
  if (format !== 'plain' && format !== 'json') {
    throw new HoldfastError('usage-invalid', `--format is plain or json, not ${JSON.stringify(format)}.`, {
      hint: `See holdfast ${command} --help.`,
    });
  }
  const recoveryKeyFile = typeof file === 'string' ? file : undefined;
  return { want: 'run', flags: configFlags(values), recoveryKeyFile, asJson: format === 'json' };
}

function configFlags(values: Readonly<Record<string, unknown>>): ConfigFlags {
  const flags: Partial<Record<ConfigKeyName, string>> = {};
  for (const name of configKeyNames) {
    const value = values[name];
    if (typeof value === 'string') flags[name] = value;
  }
  return flags;
}

interface ParseOptions {
  readonly command: string;
  readonly others: NonNullable<ParseArgsConfig['options']>;
}

function parse(
  args: readonly string[],
  { command, others }: ParseOptions,
): Readonly<Record<string, unknown>> {
  const names = configKeyNames.map((name) => [name, { type: 'string' as const }]);
  try {
    return parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(names), ...others, help: { type: 'boolean', short: 'h' } },
      allowPositionals: false,
    }).values;
  } catch (error) {
    const [message = 'The command line is wrong.'] = error instanceof Error ? error.message.split('\n') : [];
    throw new HoldfastError('usage-invalid', message.endsWith('.') ? message : `${message}.`, {
      hint: `See holdfast ${command} --help.`,
      cause: error,
    });
  }
}

/** Settings of the server that a rebuild of its catalog goes by. */
const rebuildKeys: readonly ConfigKeyName[] = ['data', 'vault', 'catalog-url'];

/** What `holdfast catalog:rebuild --help` prints. */
export function rebuildHelp(): string {
  return [
    'Usage: holdfast catalog:rebuild [--recovery-key-file FILE] [--KEY VALUE]…',
    '',
    'Makes a lost catalog again from the vault alone, while no server runs with the data directory. What the catalog still has stays as it is.',
    '',
    '  --recovery-key-file FILE',
    '      The recovery kit (holdfast vault:kit), or a file with the recovery key alone.',
    '      Default: the key that the data directory has.',
    '  --format plain|json',
    '      How to print what was taken in; default plain',
    ...rebuildKeys.map(keyHelp),
    '  -h, --help',
    '      Print this.',
    '',
    'It takes all settings of the server (holdfast server --help), from the same places.',
    '',
  ].join('\n');
}

/** What `holdfast server --help` prints. */
export function serverHelp(): string {
  return [
    'Usage: holdfast server [--KEY VALUE]…',
    '',
    'Runs the server: API, jobs and catalog. It stays in the foreground; SIGTERM or Ctrl-C stops it.',
    '',
    ...configKeyNames.map(keyHelp),
    '  -h, --help',
    '      Print this.',
    '',
    `Flags come before variables, variables before the file: holdfast.yaml in the data directory, or ${configFileVariable}.`,
    '',
  ].join('\n');
}

function keyHelp(name: ConfigKeyName): string {
  const { placeholder, description, variables, defaultInWords } = configKeys[name];
  return [
    `  --${name} ${placeholder}`,
    `      ${description}`,
    `      Variable ${variables.join(' or ')}; default ${defaultInWords.replaceAll('`', '')}`,
  ].join('\n');
}
