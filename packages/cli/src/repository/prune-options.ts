import type { MaxUnused, PruneOptions } from '@holdfast/engine';
import { InvalidArgumentError, Option } from 'commander';
import { sizeBytes } from '../command/arguments.ts';
import type { CliCommand } from '../command/cli-command.ts';

/** How `repository:prune` goes about it, by restic's options. */
export interface PruneCommandOptions {
  readonly maxUnused?: MaxUnused;
  readonly maxRepackSize?: number;
  readonly repackCacheableOnly?: boolean;
  readonly repackSmall?: boolean;
  readonly repackSmallerThan?: number;
  readonly repackUncompressed?: boolean;
}

const pruneHeading = 'Prune:';

export function pruneOptions(command: CliCommand): CliCommand {
  const options = [
    new Option(
      '--max-unused <limit>',
      'what may stay without being needed: 5%, 100M or unlimited (default: 5%)',
    ).argParser(maxUnused),
    new Option('--max-repack-size <size>', 'repack no more than this at a time, as in 10G').argParser(
      sizeBytes,
    ),
    new Option('--repack-cacheable-only', 'leave packs of file contents as they are'),
    new Option('--repack-small', 'merge packs of less than 80 % of the usual size'),
    new Option('--repack-smaller-than <size>', 'merge packs smaller than this, as in 8M').argParser(
      sizeBytes,
    ),
    new Option('--repack-uncompressed', 'compress what is not compressed yet'),
  ];
  for (const option of options) command.addOption(option.helpGroup(pruneHeading));
  return command;
}

export function engineOptionsOf(options: PruneCommandOptions): Omit<PruneOptions, 'lock'> {
  return {
    maxUnused: options.maxUnused,
    maxRepackBytes: options.maxRepackSize,
    repackCacheableOnly: options.repackCacheableOnly,
    repackSmall: options.repackSmall,
    repackSmallerThanBytes: options.repackSmallerThan,
    repackUncompressed: options.repackUncompressed,
  };
}

function maxUnused(value: string): MaxUnused {
  if (value === 'unlimited') return 'unlimited';
  if (!value.endsWith('%')) return sizeBytes(value);
  const percent = /^[0-9]{1,2}(?:\.[0-9]+)?%$/.test(value) ? Number(value.slice(0, -1)) : Number.NaN;
  if (Number.isNaN(percent)) throw new InvalidArgumentError('From 0% to below 100% is expected.');
  return { percent };
}
