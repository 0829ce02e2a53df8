import { HoldfastError } from '@holdfast/base';
import type { Cli } from './cli.ts';
import { CliCommand } from './cli-command.ts';

/** Stands in the list for the sake of help: `bin/holdfast` starts it before it comes to this. */
export function otherProgram(cli: Cli, name: string): CliCommand {
  return new CliCommand(name)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(
      cli.action(() => {
        throw new HoldfastError('usage-invalid', `The command ${name} is not part of this program.`, {
          hint: `Start it as \`holdfast ${name}\`, by the program bin/holdfast.`,
        });
      }),
    );
}
