import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { SoakOutcome } from './soak-case.ts';

/** One case, as the file of results has it. */
export interface CaseResult {
  readonly case: string;
  readonly runs: number;
  readonly failures: number;
  readonly seconds: number;
  readonly failed: readonly string[];
  readonly [fact: string]: unknown;
}

export interface SoakResult {
  readonly name: string;
  readonly commit: string;
  /** True if files differ from that commit. */
  readonly dirty: boolean;
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly seed: number;
  readonly cases: readonly CaseResult[];
}

export function caseResult(name: string, outcome: SoakOutcome, seconds: number): CaseResult {
  const { runs, failed, facts } = outcome;
  return { case: name, runs, failures: failed.length, seconds: Math.round(seconds), ...facts, failed };
}

export function soakResult(name: string, seed: number, cases: readonly CaseResult[]): SoakResult {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  return {
    name: `soak-${name}`,
    commit: git('rev-parse', 'HEAD'),
    dirty: git('status', '--porcelain') !== '',
    date: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model ?? process.arch,
      processors: availableParallelism(),
      memory_gib: Math.round(totalmem() / 1024 ** 3),
      kernel: release(),
      node: process.version,
    },
    seed,
    cases,
  };
}

export function writeResult(result: SoakResult): string {
  const folder = join(import.meta.dirname, '../bench/results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.name}.json`);
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
  return path;
}
