/** Measures Holdfast beside its peers. See README.md. */
import { type CaseSet, caseSets } from './case-sets.ts';
import { type BenchCase, SkippedCase } from './lib/bench.ts';
import { readCommit } from './lib/commit.ts';
import { describeMachine } from './lib/machine.ts';
import { type OpenBench, openBench, warmUp } from './lib/open-bench.ts';
import { type CommandLine, parseCommandLine, usage } from './lib/options.ts';
import { figureLine } from './lib/report.ts';
import { Results, type RunFacts } from './lib/results-file.ts';

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

process.exitCode = await main();

async function main(): Promise<number> {
  let line: CommandLine;
  let set: CaseSet;
  let cases: readonly BenchCase[];
  try {
    line = parseCommandLine(process.argv.slice(2));
    set = setNamed(line.name);
    cases = chosenCases(set, line);
  } catch (error) {
    say(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (line.task === 'list') {
    for (const { name, summary, isLong } of set.cases) {
      process.stdout.write(`${name}${isLong ? ' (--long)' : ''}: ${summary}\n`);
    }
    return 0;
  }
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => ending.abort(new Error(`Ended by ${name}.`)));
  }
  using bench = openBench({ scale: line.scale, rounds: line.rounds, signal: ending.signal, say });
  try {
    return await work(bench, line, { set, cases });
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return ending.signal.aborted ? 130 : 1;
  }
}

interface Chosen {
  readonly set: CaseSet;
  readonly cases: readonly BenchCase[];
}

async function work(bench: OpenBench, line: CommandLine, { set, cases }: Chosen): Promise<number> {
  if (set.hasPeers) tellOfBorg(bench);
  if (line.task === 'prepare') {
    for (const input of new Set(cases.flatMap(({ inputs }) => inputs))) {
      const { path, description } = await bench.prepare(input);
      say(`${path}: ${JSON.stringify(description)}`);
    }
    return 0;
  }
  return await measure(bench, line, { set, cases });
}

/** @throws TypeError for a set that there is not */
function setNamed(name: string): CaseSet {
  const set = caseSets[name];
  if (set !== undefined) return set;
  throw new TypeError(`Say what to measure: ${Object.keys(caseSets).join(', ')}.`);
}

/** @throws TypeError for a case that there is not */
function chosenCases({ cases }: CaseSet, { caseNames, isLong }: CommandLine): readonly BenchCase[] {
  if (caseNames.length === 0) return cases.filter((one) => isLong || !one.isLong);
  return caseNames.map((name) => {
    const found = cases.find((one) => one.name === name);
    if (found === undefined) {
      throw new TypeError(`There is no case ${name}. There are: ${cases.map((one) => one.name).join(', ')}.`);
    }
    return found;
  });
}

async function measure(bench: OpenBench, line: CommandLine, { set, cases }: Chosen): Promise<number> {
  const date = new Date().toISOString();
  const commit = readCommit();
  if (commit.dirty)
    say('Files differ from the commit: the results say so, and are of no use to anybody else.');
  const head = { name: line.name, ...commit, date, machine: describeMachine(bench, bench.folder) };
  const results = new Results(line.out, head);
  const facts = { ...commit, date, rounds: line.rounds, scale: line.scale };
  if (set.hasPeers && line.scale === 1) await warmUp(bench);
  let hasFailed = false;
  for (const one of cases) {
    say(`${one.name}: ${one.summary}`);
    hasFailed = !(await measureCase(bench, one, { results, facts })) || hasFailed;
    results.save(set.cases.map(({ name }) => name));
    if (one.isLong) for (const input of one.inputs) bench.removeInput(input);
  }
  say(`The results are in ${line.out}.`);
  return hasFailed ? 1 : 0;
}

interface Recording {
  readonly results: Results;
  readonly facts: RunFacts;
}

/** False if it failed; the other cases are measured all the same. */
async function measureCase(
  bench: OpenBench,
  one: BenchCase,
  { results, facts }: Recording,
): Promise<boolean> {
  try {
    const needed = Math.max(1, one.freeGiB * bench.scale);
    if (bench.freeGiB() < needed) throw new SkippedCase(`It needs ${needed} GiB free in ${bench.folder}.`);
    const figures = await one.run(bench);
    for (const figure of figures) say(`  ${figureLine(figure)}`);
    results.replace(
      one.name,
      figures.map((figure) => ({ ...figure, ...facts })),
    );
    return true;
  } catch (error) {
    bench.signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof SkippedCase) {
      say(`  skipped: ${message}`);
      results.noteSkipped({ case: one.name, skipped: message, ...facts });
      return true;
    }
    say(`  failed: ${message}`);
    results.replace(one.name, [{ case: one.name, failed: message, ...facts }]);
    return false;
  }
}

function tellOfBorg({ borg }: OpenBench): void {
  if (borg === undefined) {
    say('There is no borg 1.2: going on with restic alone. On Debian 12: apt-get install borgbackup');
  }
}
