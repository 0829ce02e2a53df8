import { exitStatus } from '@holdfast/base';
import type { EnvironmentSummary } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RecordOptions, recordOptions, serverCommand } from '../../command/shared-options.ts';
import { namesColumn, timeColumn } from '../../output/columns.ts';
import { formatMinute } from '../../output/quantities.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';

const columns: Columns<EnvironmentSummary> = {
  id: { title: 'id', raw: (environment) => environment.id },
  name: { title: 'name', raw: (environment) => environment.name },
  state: {
    title: 'state',
    raw: (environment) => environment.state,
    text: stateText,
  },
  components: namesColumn('components', (environment) => environment.components),
  node: { title: 'node', raw: (environment) => environment.nodeName },
  folder: { title: 'folder', raw: (environment) => environment.folder },
  backup: timeColumn('last backup', (environment) => environment.lastBackupAtMs, 'never'),
  deleted: timeColumn('deleted until', ({ deletion }) => deletion?.untilMs ?? null),
  type: { title: 'type', raw: (environment) => environment.type },
  project: { title: 'project', raw: (environment) => environment.project },
};
function stateText({ isReachable, state, deletion }: EnvironmentSummary): string {
  if (deletion !== null) return 'deleted';
  return isReachable ? state : 'unreachable';
}

const shown = ['id', 'name', 'state', 'components', 'node', 'backup'];

export function environmentListCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(
    serverCommand('environment:list', 'List environments (Compose projects), active and inactive'),
    { columns, shown },
  )
    .example('environment:list', 'what can be backed up')
    .action(
      cli.action(async (options: RecordOptions) => {
        const client = await connect(context, options);
        const { environments } = await client.call('environment.list', { signal: context.interrupts.signal });
        writeRecords(context, {
          items: environments,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is no environment (Compose project) yet: start one with `docker compose up`.',
        });
        for (const { name, deletion } of environments) {
          if (deletion === null) continue;
          const until = `Its backups go on ${formatMinute(deletion.untilMs)}, unless holdfast environment:undelete ${name}`;
          const isOver = deletion.untilMs <= context.clock.now();
          context.notes.line(
            `${name} was deleted. ${isOver ? 'Its grace is over.' : `${until} takes it back.`}`,
          );
        }
        const silent = environments.filter(({ isReachable }) => !isReachable);
        for (const name of new Set(silent.map(({ nodeName }) => nodeName))) {
          context.notes.line(`warning: ${name} does not answer: its environments are shown as last seen.`);
        }
        return exitStatus.done;
      }),
    );
}
