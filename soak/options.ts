import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scratchDirectory } from '@holdfast/engine/soak';
import { captureCases } from './capture-cases.ts';
import { engineCases } from './engine-cases.ts';
import { restoreCases } from './restore-cases.ts';
import type { SoakCase } from './soak-case.ts';

export interface SoakRun {
  readonly name: string;
  readonly cases: readonly SoakCase[];
  readonly seed: number;
  readonly kills: number;
  readonly rounds: number;
  /** Makes an empty directory for a case. */
  readonly makePath: () => string;
  /** True when all cases run as they are meant to: only then the result is worth keeping. */
  readonly isWhole: boolean;
}

interface Suite {
  readonly cases: readonly SoakCase[];
  /** Of a whole run. */
  readonly kills: number;
  readonly makePath: () => string;
}

const suites: Readonly<Record<string, Suite>> = {
  engine: { cases: engineCases, kills: 200, makePath: scratchDirectory },
  // Not in memory: there every file is read again each time, which is not what is to be proven.
  restore: { cases: restoreCases, kills: 51, makePath: () => mkdtempSync(join(tmpdir(), 'holdfast-soak-')) },
  capture: { cases: captureCases, kills: 60, makePath: () => mkdtempSync(join(tmpdir(), 'holdfast-soak-')) },
};
const wholeRounds = 20;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): SoakRun {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      kills: { type: 'string' },
      rounds: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const [name = ''] = positionals;
  const suite = suites[name];
  if (suite === undefined || positionals.length !== 1) {
    throw new Error(`Say what to run: ${Object.keys(suites).join(', ')}.`);
  }
  const { cases: all, kills: wholeKills, makePath } = suite;
  const only = values.only?.split(',');
  const unknown = only?.filter((word) => !all.some((one) => one.name === word)) ?? [];
  if (unknown.length > 0) throw new Error(`There is no case ${unknown}: ${all.map((one) => one.name)}.`);
  const kills = wholeNumber(values.kills, wholeKills);
  const rounds = wholeNumber(values.rounds, wholeRounds);
  return {
    name,
    cases: all.filter((one) => only === undefined || only.includes(one.name)),
    seed: wholeNumber(values.seed, Math.floor(Date.now() / 1000)),
    kills,
    rounds,
    makePath,
    isWhole: only === undefined && kills >= wholeKills && rounds >= wholeRounds,
  };
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${text} is not a number.`);
  return Number(text);
}
