import { parseArgs } from 'node:util';
import { engineCases } from './engine-cases.ts';
import type { SoakCase } from './soak-case.ts';

export interface SoakRun {
  readonly name: string;
  readonly cases: readonly SoakCase[];
  readonly seed: number;
  readonly kills: number;
  /** True when all cases run as they are meant to: only then the result is worth keeping. */
  readonly isWhole: boolean;
}

const suites: Readonly<Record<string, readonly SoakCase[]>> = { engine: engineCases };
const wholeKills = 200;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): SoakRun {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seed: { type: 'string' }, kills: { type: 'string' }, only: { type: 'string' } },
  });
  const [name = ''] = positionals;
  const all = suites[name];
  if (all === undefined || positionals.length !== 1) {
    throw new Error(`Say what to run: ${Object.keys(suites).join(', ')}.`);
  }
  const only = values.only?.split(',');
  const unknown = only?.filter((word) => !all.some((one) => one.name === word)) ?? [];
  if (unknown.length > 0) throw new Error(`There is no case ${unknown}: ${all.map((one) => one.name)}.`);
  const kills = wholeNumber(values.kills, wholeKills);
  return {
    name,
    cases: all.filter((one) => only === undefined || only.includes(one.name)),
    seed: wholeNumber(values.seed, Math.floor(Date.now() / 1000)),
    kills,
    isWhole: only === undefined && kills >= wholeKills,
  };
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${text} is not a number.`);
  return Number(text);
}
