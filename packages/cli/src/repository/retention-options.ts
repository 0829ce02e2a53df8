import type { GroupCriterion, KeepCount } from '@holdfast/engine';
import { InvalidArgumentError, Option } from 'commander';
import { collect } from '../command/arguments.ts';
import type { CliCommand } from '../command/cli-command.ts';

/** What `repository:forget` keeps, by restic's options. */
export interface RetentionOptions {
  readonly keepLast?: KeepCount;
  readonly keepHourly?: KeepCount;
  readonly keepDaily?: KeepCount;
  readonly keepWeekly?: KeepCount;
  readonly keepMonthly?: KeepCount;
  readonly keepYearly?: KeepCount;
  /** As in `1y5m7d2h`. */
  readonly keepWithin?: string;
  readonly keepWithinHourly?: string;
  readonly keepWithinDaily?: string;
  readonly keepWithinWeekly?: string;
  readonly keepWithinMonthly?: string;
  readonly keepWithinYearly?: string;
  /** Each a list with commas between. */
  readonly keepTag?: readonly string[];
  readonly groupBy: readonly GroupCriterion[];
}

const policyHeading = 'What to keep:';
const units = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
const letters = { hourly: 'H', daily: 'd', weekly: 'w', monthly: 'm', yearly: 'y' } as const;

/** Adds `--keep-*` and `--group-by`. `-H` is the host in Holdfast's other commands, and means hours here, as with restic. */
export function retentionOptions(command: CliCommand): CliCommand {
  const options = [
    new Option('-l, --keep-last <n>', 'the newest n snapshots; "unlimited" for all').argParser(keepCount),
    ...units.map((unit) =>
      new Option(`-${letters[unit]}, --keep-${unit} <n>`, `the last ${unit} snapshots, n of them`).argParser(
        keepCount,
      ),
    ),
    new Option(
      '--keep-within <duration>',
      'everything newer than this, as in 1y5m7d2h, before the newest snapshot',
    ).argParser(calendarDuration),
    ...units.map((unit) =>
      new Option(`--keep-within-${unit} <duration>`, `${unit} snapshots newer than this`).argParser(
        calendarDuration,
      ),
    ),
    new Option(
      '--keep-tag <tag[,tag]>',
      'snapshots with all these tags; may be given several times',
    ).argParser(collect),
    new Option(
      '-g, --group-by <criteria>',
      'the rules hold for each group by themselves: host, paths, tags, with commas between; "" for one group',
    )
      .argParser(groupCriteria)
      .default(['host', 'paths'], 'host,paths'),
  ];
  for (const option of options) command.addOption(option.helpGroup(policyHeading));
  return command;
}

function keepCount(value: string): KeepCount {
  if (value === 'unlimited' || value === '-1') return 'unlimited';
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('A whole number or "unlimited" is expected.');
}

function calendarDuration(value: string): string {
  if (/^(?:[0-9]{1,6}[ymdh])+$/.test(value)) return value;
  throw new InvalidArgumentError('Numbers with y, m, d or h after each are expected, as in 1y5m7d2h.');
}

const criteria: Readonly<Record<string, GroupCriterion>> = {
  host: 'host',
  path: 'paths',
  paths: 'paths',
  tag: 'tags',
  tags: 'tags',
};

function groupCriteria(value: string): readonly GroupCriterion[] {
  const names = value.split(',').filter((name) => name !== '');
  return names.map((name) => {
    const criterion = Object.hasOwn(criteria, name) ? criteria[name] : undefined;
    if (criterion !== undefined) return criterion;
    throw new InvalidArgumentError('host, paths or tags are expected, with commas between.');
  });
}
