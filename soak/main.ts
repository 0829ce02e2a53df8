import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readOptions, type SoakRun } from './options.ts';
import { type CaseResult, caseResult, soakResult, writeResult } from './result.ts';
import type { SoakCase } from './soak-case.ts';

/** Runs the long proofs: see the README. */

const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => ending.abort(new Error(`Ended by ${name}.`)));
}

const startedAtMs = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0).padStart(5);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

/** The test bed's newest stock restic, unless somebody named another. */
function chooseRestic(): void {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const restic = join(cache, 'holdfast/tools/restic/usr/bin/restic');
  if (process.env.HOLDFAST_TEST_RESTIC === undefined && existsSync(restic)) {
    process.env.HOLDFAST_TEST_RESTIC = restic;
  }
}

async function runCase(soakCase: SoakCase, { seed, kills, rounds, makePath }: SoakRun): Promise<CaseResult> {
  const path = makePath();
  const begunAtMs = performance.now();
  const seconds = (): number => (performance.now() - begunAtMs) / 1000;
  try {
    const name = soakCase.name;
    const outcome = await soakCase.run({
      seed,
      kills,
      rounds,
      path,
      signal: ending.signal,
      say: (line) => say(`${name}: ${line}`),
    });
    return caseResult(name, outcome, seconds());
  } catch (error) {
    ending.signal.throwIfAborted();
    const failed = [`it ended early: ${error instanceof Error ? error.stack : error}`];
    return caseResult(soakCase.name, { runs: 0, failed }, seconds());
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

async function main(run: SoakRun): Promise<void> {
  chooseRestic();
  say(`${run.name}, seed ${run.seed}: the same again with --seed ${run.seed}`);
  const results: CaseResult[] = [];
  for (const soakCase of run.cases) {
    const result = await runCase(soakCase, run);
    results.push(result);
    say(`${result.case}: ${result.runs} runs, ${result.failures} failures, ${result.seconds} s`);
    for (const line of result.failed) say(`  ${line}`);
  }
  const failures = results.reduce((total, { failures }) => total + failures, 0);
  const result = soakResult(run.name, run.seed, results);
  if (run.isWhole) say(`written to ${writeResult(result)}`);
  else say('not written: only a whole run is');
  process.exitCode = failures === 0 ? 0 : 1;
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`soak: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
