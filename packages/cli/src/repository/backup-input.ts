import { resolve } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { type BackupSource, type FilePath, type StreamSource, sourcesFromArguments } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import type { BackupCommandOptions } from './backup-options.ts';
import { commandOutput, standardInput } from './input-streams.ts';
import { allPaths } from './listed-paths.ts';

/** What a command line asks to back up. */
export interface BackupInput {
  readonly sources: readonly BackupSource[];
  readonly streams: readonly StreamSource[];
  /** Absolute, as the snapshot has them. */
  readonly paths: readonly string[];
}

/** @param timeNs when the snapshot is from, in nanoseconds since the epoch. @throws HoldfastError `usage-invalid` */
export async function backupInput(
  context: CliContext,
  words: readonly string[],
  { options, timeNs }: { readonly options: BackupCommandOptions; readonly timeNs: bigint },
): Promise<BackupInput> {
  checkInput(words, options);
  if (options.stdin === true || options.stdinFromCommand === true) {
    return streamInput(context, words, { options, timeNs });
  }
  const paths = await allPaths(context, words, options);
  if (paths.length === 0) {
    throw new HoldfastError('usage-invalid', 'There is nothing to back up.', {
      hint: 'Name a file or directory, or give --stdin.',
    });
  }
  return {
    sources: sourcesFromArguments(paths),
    streams: [],
    paths: paths.map((path) => resolve(context.folder, textOf(path))),
  };
}

function streamInput(
  context: CliContext,
  words: readonly string[],
  { options, timeNs }: { readonly options: BackupCommandOptions; readonly timeNs: bigint },
): BackupInput {
  const [top, ...rest] = (options.stdinFilename ?? 'stdin').split('/').filter((name) => name !== '');
  if (top === undefined || [top, ...rest].some((name) => name === '.' || name === '..')) {
    throw new HoldfastError('usage-invalid', 'The name for the file is none.', {
      hint: 'See --stdin-filename.',
    });
  }
  const stream = options.stdin === true ? standardInput(context) : commandOutput(context, words);
  const modifiedAt = {
    seconds: Number(timeNs / 1_000_000_000n),
    nanoseconds: Number(timeNs % 1_000_000_000n),
  };
  return {
    sources: [],
    streams: [{ stream, treePath: [top, ...rest], modifiedAt }],
    paths: [`/${[top, ...rest].join('/')}`],
  };
}

function checkInput(words: readonly string[], options: BackupCommandOptions): void {
  const { filesFrom, filesFromRaw, filesFromVerbatim, stdin, stdinFromCommand } = options;
  const hasLists = [filesFrom, filesFromRaw, filesFromVerbatim].some((list) => list !== undefined);
  const problem =
    stdin === true && stdinFromCommand === true
      ? 'Standard input and a command cannot both be read.'
      : stdin === true && (words.length > 0 || hasLists)
        ? 'Standard input is backed up by itself, without paths.'
        : stdinFromCommand === true && hasLists
          ? "A command's output is backed up by itself, without lists of paths."
          : stdinFromCommand === true && words.length === 0
            ? 'There is no command to run.'
            : undefined;
  if (problem === undefined) return;
  throw new HoldfastError('usage-invalid', problem, { hint: 'See `holdfast help repository:backup`.' });
}

function textOf(path: FilePath): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString();
}
