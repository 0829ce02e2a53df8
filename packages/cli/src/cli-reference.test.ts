import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { cliReference } from './cli-reference.ts';
import { Cli } from './command/cli.ts';
import { CliCommand } from './command/cli-command.ts';
import { processContext } from './process-context.ts';
import { createProgram } from './program.ts';

const program = createProgram(new Cli(processContext([])));

it('docs/cli.md is what `node packages/cli/src/docs.ts` writes', () => {
  const written = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  expect(written).toBe(cliReference(program));
});

it.each(program.commands.map((command) => [command.name(), command] as const))(
  '%s has a summary and an example that is one of its own',
  (name, command) => {
    expect(command.description()).not.toBe('');
    if (!(command instanceof CliCommand)) throw new Error(`${name} cannot have examples`);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { line } of command.examples) expect(line).toMatch(new RegExp(`^holdfast ${name}( |$)`));
  },
);
