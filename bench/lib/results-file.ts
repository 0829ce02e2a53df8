import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Commit } from './commit.ts';
import type { Figure } from './figure.ts';
import type { Machine } from './machine.ts';

/** One figure with where it comes from. */
export type RecordedFigure = Figure & RunFacts;

/** What is the same for all figures of a run. */
export interface RunFacts extends Commit {
  readonly date: string;
  readonly rounds: number;
  readonly scale: number;
}

/** A case that gave no figure. */
export interface UnmeasuredCase extends RunFacts {
  readonly case: string;
  readonly skipped?: string;
  readonly failed?: string;
}

export type RecordedCase = RecordedFigure | UnmeasuredCase;

/** `bench/results/NAME.json` */
export interface ResultsFile extends Commit {
  readonly name: string;
  readonly date: string;
  readonly machine: Machine;
  readonly cases: readonly RecordedCase[];
}

/** The figures of one case, whose names begin with its name, take the place of those that were there. */
export class Results {
  readonly #path: string;
  readonly #head: Omit<ResultsFile, 'cases'>;
  #cases: readonly RecordedCase[];

  /** Goes on with what the file has, unless it comes from another machine. */
  constructor(path: string, head: Omit<ResultsFile, 'cases'>) {
    this.#path = path;
    this.#head = head;
    this.#cases = readCases(path, head.machine);
  }

  replace(caseName: string, cases: readonly RecordedCase[]): void {
    this.#cases = [...this.#cases.filter((one) => !belongsTo(one, caseName)), ...cases];
  }

  /** A case that could not be measured now does not take the place of one that was. */
  noteSkipped(unmeasured: UnmeasuredCase): void {
    if (this.#cases.some((one) => belongsTo(one, unmeasured.case) && 'ratio' in one)) return;
    this.replace(unmeasured.case, [unmeasured]);
  }

  /** In the order of the cases' names in `order`; the file is whole at every moment. */
  save(order: readonly string[]): void {
    const position = ({ case: name }: RecordedCase) => order.indexOf(name.split('/')[0] ?? '');
    const cases = this.#cases.toSorted((a, b) => position(a) - position(b));
    mkdirSync(dirname(this.#path), { recursive: true });
    const unfinished = `${this.#path}.${process.pid}`;
    writeFileSync(unfinished, `${JSON.stringify({ ...this.#head, cases }, null, 2)}\n`);
    renameSync(unfinished, this.#path);
  }
}

function readCases(path: string, machine: Machine): readonly RecordedCase[] {
  if (!existsSync(path)) return [];
  const file = JSON.parse(readFileSync(path, 'utf8')) as ResultsFile;
  const isSame =
    file.machine.processor === machine.processor && file.machine.processors === machine.processors;
  return isSame ? file.cases : [];
}

function belongsTo({ case: name }: RecordedCase, caseName: string): boolean {
  return name === caseName || name.startsWith(`${caseName}/`);
}
