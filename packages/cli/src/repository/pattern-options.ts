import { Option } from 'commander';
import { collect } from '../command/arguments.ts';
import type { CliCommand } from '../command/cli-command.ts';
import type { CliContext } from '../context.ts';
import { meantLines, readNamedFile } from './text-files.ts';

/** Patterns as restic's options give them. */
export interface ExcludePatternOptions {
  readonly exclude?: readonly string[];
  readonly iexclude?: readonly string[];
  readonly excludeFile?: readonly string[];
  readonly iexcludeFile?: readonly string[];
}

export interface IncludePatternOptions {
  readonly include?: readonly string[];
  readonly iinclude?: readonly string[];
  readonly includeFile?: readonly string[];
  readonly iincludeFile?: readonly string[];
}

const heading = 'Patterns:';

/** Adds `--exclude`, `--iexclude` and their files. */
export function excludePatternOptions(command: CliCommand): CliCommand {
  return patternOptions(command, { name: 'exclude', short: '-e, ', verb: 'leave out' });
}

/** Adds `--include`, `--iinclude` and their files. */
export function includePatternOptions(command: CliCommand): CliCommand {
  return patternOptions(command, { name: 'include', short: '-i, ', verb: 'take only' });
}

function patternOptions(
  command: CliCommand,
  { name, short, verb }: { readonly name: string; readonly short: string; readonly verb: string },
): CliCommand {
  const options = [
    [`${short}--${name} <pattern>`, `${verb} what matches; may be given several times`],
    [`--i${name} <pattern>`, 'the same, upper and lower case being one'],
    [`--${name}-file <file>`, `file with such patterns, one a line; "#" begins a comment`],
    [`--i${name}-file <file>`, 'the same, upper and lower case being one'],
  ] as const;
  for (const [flags, help] of options) {
    command.addOption(new Option(flags, help).argParser(collect).helpGroup(heading));
  }
  return command;
}

/** @throws HoldfastError `usage-invalid` for a file that cannot be read */
export async function excludePatterns(context: CliContext, options: ExcludePatternOptions) {
  return {
    excludes: [...(options.exclude ?? []), ...(await patternsIn(context, options.excludeFile))],
    excludesAnyCase: [...(options.iexclude ?? []), ...(await patternsIn(context, options.iexcludeFile))],
  };
}

/** @throws HoldfastError `usage-invalid` for a file that cannot be read */
export async function includePatterns(context: CliContext, options: IncludePatternOptions) {
  return {
    includes: [...(options.include ?? []), ...(await patternsIn(context, options.includeFile))],
    includesAnyCase: [...(options.iinclude ?? []), ...(await patternsIn(context, options.iincludeFile))],
  };
}

async function patternsIn(context: CliContext, files: readonly string[] = []): Promise<string[]> {
  const patterns: string[] = [];
  for (const file of files) {
    const lines = meantLines((await readNamedFile(context, file)).toString());
    patterns.push(...lines.map((line) => withVariables(line, context.env)));
  }
  return patterns;
}

/** `$NAME` and `${NAME}` become the variable's value, `$$` a dollar sign. */
function withVariables(line: string, env: CliContext['env']): string {
  return line.replaceAll(/\$(?:\$|\{(\w+)\}|([A-Za-z_]\w*))/g, (_, braced?: string, plain?: string) => {
    const name = braced ?? plain;
    return name === undefined ? '$' : (env[name] ?? '');
  });
}
