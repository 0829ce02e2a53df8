import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import { deleteLater } from '../../server/delete-later.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

interface DeleteOptions extends ServerOptions {
  readonly keepPinned?: boolean;
  readonly yes?: boolean;
}

export function environmentDeleteCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'environment:delete',
    'Back an environment up no more, and remove its backups 7 days from now; Docker keeps all that it has',
  )
    .argument('<environment>', 'id or name')
    .option('--keep-pinned', 'pinned backups stay behind; without it, they keep the environment')
    .option('-y, --yes', 'do not ask')
    .addOption(formatOption('plain'))
    .example('environment:delete staging', 'shows what goes and what to download first, and asks')
    .action(
      cli.action(async (environment: string, options: DeleteOptions) => {
        const client = await connect(context, options);
        const { signal } = context.interrupts;
        const plan = await client.call('environment.deletion', { params: { environment }, signal });
        return await deleteLater(context, {
          plan,
          keepPinned: options.keepPinned === true,
          yes: options.yes,
          undelete: `environment:undelete ${environment}`,
          more: ['Its schedules are followed no more. Its containers and volumes stay as they are.'],
          run: async () =>
            await client.call('environment.delete', {
              params: { environment: plan.environmentId },
              query: options.keepPinned === true ? { keepPinned: 'true' } : {},
              signal,
            }),
        });
      }),
    );
}
