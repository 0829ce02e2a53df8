import { expect, it } from 'vitest';
import { Cli } from './command/cli.ts';
import { loadProgram } from './load-program.ts';
import { processContext } from './process-context.ts';
import { createProgram } from './program.ts';

const cli = new Cli(processContext([]));
const all = createProgram(cli).commands.map((command) => command.name());
const loaded = async (...words: string[]) =>
  (await loadProgram(words, cli)).commands.map((command) => command.name());

it.each(all.filter((name) => name.includes(':')))('%s is loaded alone', async (name) => {
  expect(await loaded(name, '--json')).toEqual([name]);
  expect(await loaded(...name.split(':'), 'word')).toEqual([name]);
});

it.each([
  ['help', 'backup:create'],
  ['backup'],
  ['backup:create:'],
  ['backup:nothing'],
  ['../commands/backup:create'],
  ['constructor:constructor'],
  ['server'],
  [],
])('%s %s: with all commands', async (...words) => {
  expect(await loaded(...words)).toEqual(all);
});
