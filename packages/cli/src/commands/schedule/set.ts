import { exitStatus, HoldfastError } from '@holdfast/base';
import { commaSeparated } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type ObjectOptions,
  objectOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { writeObject } from '../../output/object.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import { scheduleLines } from './schedule-lines.ts';

interface SetOptions extends ObjectOptions {
  readonly hours?: readonly string[];
  readonly everyHour?: boolean;
  readonly weekdays?: readonly string[];
  readonly everyDay?: boolean;
  readonly timezone?: string;
  readonly retention?: string;
  readonly off?: boolean;
  readonly reset?: boolean;
}

const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

export function scheduleSetCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return objectOptions(
    serverCommand('schedule:set', 'Back an environment up at chosen hours of chosen weekdays'),
  )
    .argument('[environment]', environmentHelp)
    .option('--hours <hours>', 'with commas between, from 0 to 23', commaSeparated)
    .option('--every-hour', 'at all of them')
    .option('--weekdays <days>', 'with commas between: sun,mon,… or 0 (Sunday) to 6', commaSeparated)
    .option('--every-day', 'on all of them')
    .option('--timezone <zone>', "such as Europe/Berlin (default: the server's)")
    .option('--retention <duration>', 'how long each backup is kept, as in 30d')
    .option('--off', 'no backups by itself, whatever its project says')
    .option('--reset', 'what its project says counts again')
    .addHelpText('after', '\nSchedules by interval and count are set for a project: see project:curl.')
    .example('schedule:set shop --every-day --hours 2 --retention 30d', 'every night at two')
    .example('schedule:set shop --weekdays mon,thu --hours 2,14 --retention 4w', 'twice on two days')
    .example('schedule:set shop --off', 'not at all')
    .action(
      cli.action(async (named: string | undefined, options: SetOptions) => {
        const policy = policyOf(options);
        const client = await connect(context, options);
        const environment = await chooseEnvironment(context, client, named);
        const schedule = await client.call('schedule.set', {
          params: { environment },
          body: { backup_policy: policy },
          signal: context.interrupts.signal,
        });
        writeObject(context, { object: schedule, lines: scheduleLines, options });
        return exitStatus.done;
      }),
    );
}

/** As the API takes it; null goes back to the project's. @throws HoldfastError `usage-invalid` */
function policyOf(options: SetOptions): Record<string, unknown> | null {
  const { hours, everyHour, weekdays, everyDay, timezone, retention, off, reset } = options;
  const isTimed = [hours, everyHour, weekdays, everyDay, timezone, retention].some(
    (each) => each !== undefined,
  );
  if ([isTimed, off === true, reset === true].filter(Boolean).length !== 1) {
    throw new HoldfastError('usage-invalid', 'Say when to back it up, or --off, or --reset: one of them.', {
      hint: 'As in schedule:set shop --every-day --hours 2 --retention 30d.',
    });
  }
  if (reset === true) return null;
  if (off === true) return { enabled: false };
  return {
    enabled: true,
    ...(everyHour === true ? { every_hour: true } : { hours: (hours ?? []).map(asNumber) }),
    ...(everyDay === true ? { every_day: true } : { weekdays: (weekdays ?? []).map(weekdayNumber) }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(retention === undefined ? {} : { retention }),
  };
}

/** What is no number is for the server to refuse, with the others. */
function asNumber(text: string): number | string {
  return /^[0-9]{1,2}$/.test(text) ? Number(text) : text;
}

function weekdayNumber(text: string): number | string {
  const day = weekdayNames.indexOf(text.slice(0, 3).toLowerCase());
  return day >= 0 ? day : asNumber(text);
}
