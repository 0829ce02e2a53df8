import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchFolder } from './open-bench.ts';

export interface CommandLine {
  /** Which set of cases. */
  readonly name: string;
  /** Only these; empty: all that are not long. */
  readonly caseNames: readonly string[];
  readonly isLong: boolean;
  readonly rounds: number;
  readonly scale: number;
  /** Where the results go. */
  readonly out: string;
  readonly task: 'measure' | 'list' | 'prepare';
}

export const usage = `npm run bench -- SET [--case NAME]… [--runs 5] [--long] [--quick] [--list] [--prepare] [--out FILE]

  SET           which cases: engine, capture, restore
  --case NAME   only this case; the others in the results' file stay as they are
  --runs N      each program so many times (default 5)
  --long        also the cases that take hours or much room
  --quick       every input at a fiftieth of its size, each program once; results go to the bench's own folder
  --list        tell which cases there are
  --prepare     make the inputs, and measure nothing
  --out FILE    where the results go (default bench/results/SET.json)`;

const quickScale = 1 / 50;
const resultsFolder = fileURLToPath(new URL('../results', import.meta.url));

/** @throws TypeError for what it does not know */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      case: { type: 'string', multiple: true, default: [] },
      runs: { type: 'string' },
      long: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      prepare: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const [name = '', ...others] = positionals;
  if (others.length > 0) throw new TypeError('One set of cases is measured at a time.');
  const rounds = Number(values.runs ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--runs wants a number from 1 on.');
  const quickResults = join(benchFolder(), `${name}-quick.json`);
  return {
    name,
    caseNames: values.case,
    isLong: values.long,
    rounds,
    scale: values.quick ? quickScale : 1,
    out: values.out ? resolve(values.out) : values.quick ? quickResults : join(resultsFolder, `${name}.json`),
    task: values.list ? 'list' : values.prepare ? 'prepare' : 'measure',
  };
}
