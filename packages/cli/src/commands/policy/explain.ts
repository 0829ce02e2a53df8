import { exitStatus } from '@holdfast/base';
import type { ExplainedBackup, PolicyExplanation } from '@holdfast/protocol';
import { positiveInteger } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type ObjectOptions,
  objectOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { writeObject } from '../../output/object.ts';
import { formatMinute } from '../../output/quantities.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';

interface ExplainOptions extends ObjectOptions {
  readonly days?: number;
}

export function policyExplainCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return objectOptions(
    serverCommand('policy:explain', 'Show what is kept and removed over the coming month, and why'),
  )
    .argument('[environment]', environmentHelp)
    .option('--days <number>', 'how far to look (default: 31)', positiveInteger)
    .example('policy:explain shop', 'if each automated backup succeeds, and nobody makes or deletes any')
    .action(
      cli.action(async (named: string | undefined, options: ExplainOptions) => {
        const client = await connect(context, options);
        const environment = await chooseEnvironment(context, client, named);
        const explanation = await client.call('policy.explain', {
          params: { environment },
          query: options.days === undefined ? {} : { days: options.days },
          signal: context.interrupts.signal,
        });
        writeObject(context, { object: explanation, lines: explanationLines, options });
        return exitStatus.done;
      }),
    );
}

function explanationLines({ environmentName, backups, events, atEnd, untilMs }: PolicyExplanation): string[] {
  return [
    `Environment (Compose project) ${environmentName}: ${backups.length === 0 ? 'no backups now' : 'now'}`,
    ...backups.map(backupLine),
    '',
    events.length === 0 ? 'Nothing is taken or removed.' : 'What is to come:',
    ...events.map(({ atMs, kind, id, why }) => {
      return `  ${formatMinute(atMs)}  ${kind === 'taken' ? 'take  ' : 'remove'}  ${id}  (${why})`;
    }),
    '',
    `On ${formatMinute(untilMs)} there are ${atEnd.length}:`,
    ...atEnd.map(backupLine),
  ];
}

function backupLine({ id, createdAtMs, kind, status, keptBy, end, removedBy }: ExplainedBackup): string {
  const state = status === 'ready' ? kind : `${kind}, ${status}`;
  const rule = removedBy === null ? keptBy.join(', ') : `to be removed: ${removedBy}`;
  return `  ${formatMinute(createdAtMs)}  ${id}  ${state}: ${rule}${end === null ? '' : `; ${end}`}`;
}
