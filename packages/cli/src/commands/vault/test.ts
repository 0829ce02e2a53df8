import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { formatNumberOf } from '../../output/quantities.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

interface TestOptions extends ServerOptions {
  readonly format: 'plain' | 'json';
}

export function vaultTestCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('vault:test', 'Try a vault out: write, read, list, delete, and look for what it held')
    .argument('<vault>', 'id or name')
    .addOption(formatOption('plain'))
    .example('vault:test b2', 'exit status 1 where it cannot be used')
    .action(
      cli.action(async (vault: string, options: TestOptions) => {
        const client = await connect(context, options);
        const { signal } = context.interrupts;
        const tested = await client.call('vault.test', { params: { vault }, signal });
        const { clockAheadMs, repositories } = tested;
        const held =
          repositories === 0
            ? 'It holds no repository yet'
            : `All that it held is there: ${formatNumberOf(repositories, 'repository', 'repositories')}`;
        context.output.line(
          options.format === 'json'
            ? JSON.stringify(tested, undefined, 2)
            : `${vault} can be written, read, listed and deleted in; ${clockText(clockAheadMs)}. ${held}.`,
        );
        return exitStatus.done;
      }),
    );
}

function clockText(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (seconds === 0) return 'its clock is right';
  return `its clock is ${seconds} s ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}
