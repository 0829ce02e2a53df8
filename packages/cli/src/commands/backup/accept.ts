import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';

interface AcceptOptions extends ServerOptions {
  readonly format: 'plain' | 'json';
}

export function backupAcceptCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'backup:accept',
    'Take a doubtful backup for good: what its sources lost was meant to go',
  )
    .argument('<id>', 'the backup')
    .addOption(formatOption('plain'))
    .example('backup:accept bak_0123456789abcdef', 'a volume was cleaned up, and that was meant')
    .action(
      cli.action(async (id: string, options: AcceptOptions) => {
        const client = await connect(context, options);
        const { id: backup, doubt } = await resolveBackup(context, client, { id, environment: undefined });
        const { signal } = context.interrupts;
        const accepted = await client.call('backup.accept', { params: { backup }, signal });
        if (options.format === 'json') context.output.line(JSON.stringify(accepted, undefined, 2));
        else
          context.notes.line(
            doubt === null
              ? `Nobody doubts ${backup}.`
              : `${backup} counts from now on. It was doubted: ${doubt}`,
          );
        return exitStatus.done;
      }),
    );
}
