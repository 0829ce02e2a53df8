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

export function componentDeleteCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'component:delete',
    'Remove, 7 days from now, the backups and settings of a component that Docker no longer has',
  )
    .argument('<environment>', 'id or name')
    .argument('<component>', 'its name: the Compose service')
    .option('--keep-pinned', 'pinned backups stay behind; without it, they keep the component')
    .option('-y, --yes', 'do not ask')
    .addOption(formatOption('plain'))
    .example('component:delete shop search', 'after `docker compose up --remove-orphans` without it')
    .action(
      cli.action(async (environment: string, component: string, options: DeleteOptions) => {
        const client = await connect(context, options);
        const { signal } = context.interrupts;
        const params = { environment, component };
        const plan = await client.call('component.deletion', { params, signal });
        return await deleteLater(context, {
          plan,
          keepPinned: options.keepPinned === true,
          yes: options.yes,
          undelete: `component:undelete ${environment} ${component}`,
          more: [
            'Only backups go that hold nothing else. Those of the whole environment keep what they have of it.',
            'What was set for it goes too: commands, cron string, retention.',
          ],
          run: async () =>
            await client.call('component.delete', {
              params,
              query: options.keepPinned === true ? { keepPinned: 'true' } : {},
              signal,
            }),
        });
      }),
    );
}
