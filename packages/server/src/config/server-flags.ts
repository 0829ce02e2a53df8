import { parseArgs } from 'node:util';
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
  const values = parse(args);
  if (values.help === true) return { want: 'help' };
  const flags: Partial<Record<ConfigKeyName, string>> = {};
  for (const name of configKeyNames) {
    const value = values[name];
    if (typeof value === 'string') flags[name] = value;
  }
  return { want: 'run', flags };
}

function parse(args: readonly string[]): Readonly<Record<string, unknown>> {
  const names = configKeyNames.map((name) => [name, { type: 'string' as const }]);
  try {
    return parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(names), help: { type: 'boolean', short: 'h' } },
      allowPositionals: false,
    }).values;
  } catch (error) {
    const [message = 'The command line is wrong.'] = error instanceof Error ? error.message.split('\n') : [];
    throw new HoldfastError('usage-invalid', message.endsWith('.') ? message : `${message}.`, {
      hint: 'See holdfast server --help.',
      cause: error,
    });
  }
}

/** What `holdfast server --help` prints. */
export function serverHelp(): string {
  const keys = configKeyNames.map((name) => {
    const { placeholder, description, variables, defaultInWords } = configKeys[name];
    return [
      `  --${name} ${placeholder}`,
      `      ${description}`,
      `      Variable ${variables.join(' or ')}; default ${defaultInWords.replaceAll('`', '')}`,
    ].join('\n');
  });
  return [
    'Usage: holdfast server [--KEY VALUE]…',
    '',
    'Runs the server: API, jobs and catalog. It stays in the foreground; SIGTERM or Ctrl-C stops it.',
    '',
    ...keys,
    '  -h, --help',
    '      Print this.',
    '',
    `Flags come before variables, variables before the file: holdfast.yaml in the data directory, or ${configFileVariable}.`,
    '',
  ].join('\n');
}
