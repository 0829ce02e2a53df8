import { Option } from 'commander';
import { type Columns, type RecordFormat, recordFormats } from '../output/records.ts';
import type { ServerOptions } from '../server/locate-server.ts';
import { commaSeparated } from './arguments.ts';
import { CliCommand } from './cli-command.ts';

const serverHeading = 'Server:';

export interface ServerCommandOptions {
  /** Where `--url` is taken by something else. */
  readonly urlOption?: '--url' | '--server-url';
}

/** A command of the HTTP API. */
export function serverCommand(
  name: string,
  summary: string,
  { urlOption = '--url' }: ServerCommandOptions = {},
): CliCommand {
  return new CliCommand(name)
    .description(summary)
    .addOption(
      new Option(
        `${urlOption} <url>`,
        urlOption === '--url'
          ? 'where the server is (default: HOLDFAST_URL, else this machine)'
          : 'the same, for a command whose --url is something else',
      ).helpGroup(serverHeading),
    )
    .addOption(
      new Option(
        '--token-file <path>',
        'file with the token (default: HOLDFAST_TOKEN, else the data directory)',
      ).helpGroup(serverHeading),
    );
}

export interface RecordOptions extends ServerOptions {
  readonly format: RecordFormat;
  readonly columns?: readonly string[];
}

/** Adds `--format` and `--columns`, for commands that print a list. */
export function recordOptions<Item>(
  command: CliCommand,
  { columns, shown }: { columns: Columns<Item>; shown: readonly string[] },
): CliCommand {
  const names = Object.keys(columns).join(', ');
  return command
    .addOption(new Option('--format <format>', 'how to print').choices(recordFormats).default('table'))
    .addOption(
      new Option(
        '-c, --columns <names>',
        `which columns, with commas between: ${names} (default: ${shown.join(',')})`,
      ).argParser(commaSeparated),
    );
}

export interface ObjectOptions extends ServerOptions {
  readonly format: 'table' | 'json';
  readonly property?: string;
}

/** Adds `--format` and `--property`, for commands that print one thing. */
export function objectOptions(command: CliCommand): CliCommand {
  return command
    .addOption(formatOption('table'))
    .option(
      '-P, --property <name>',
      'print just this property, as JSON has it; dots go deeper: parts.0.name',
    );
}

/** `--format`, for commands whose result has one form for people and one for programs. */
export function formatOption<Human extends string>(human: Human): Option {
  return new Option('--format <format>', 'how to print').choices([human, 'json']).default(human);
}

export const environmentHelp = 'id or name (default: the Compose project of this folder, else the only one)';
