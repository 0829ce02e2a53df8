import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Holdfast } from '../../e2e/support/holdfast.ts';
import { type Bench, SkippedCase } from '../lib/bench.ts';
import { AppEnvironment } from './app-environment.ts';

/** The image of the test bed's part `databases`. @throws SkippedCase where that is not up */
export function databasesImage(): string {
  const { DOCKER_HOST, HOLDFAST_TEST_DATABASES_IMAGE } = process.env;
  if (!DOCKER_HOST || !HOLDFAST_TEST_DATABASES_IMAGE) {
    throw new SkippedCase('There is no test bed: eval "$(script/testbed up docker images databases)"');
  }
  return HOLDFAST_TEST_DATABASES_IMAGE;
}

let count = 0;

/** An environment whose project folder is this one. */
export function openEnvironment(folder: string): AppEnvironment {
  count += 1;
  const name = `hfbench-${process.pid}-${count}`;
  return new AppEnvironment({ name, folder, image: databasesImage() });
}

/** Long: what takes too long is to be measured, not refused. */
const holdLimit = '60s';

/** A server whose data directory, with the vault in it, is below the folder; both go when it is disposed of. */
export async function openServer(folder: string, host = process.env.DOCKER_HOST): Promise<Holdfast> {
  mkdirSync(folder, { recursive: true });
  return await Holdfast.start({ DOCKER_HOST: host, HOLDFAST_HOLD_LIMIT: holdLimit }, folder);
}

/** The folder of an input, which has its files in `content`: as a project's folder, with one bind mount. */
export async function projectOf(
  bench: Bench,
  recipe: Parameters<Bench['prepare']>[0],
): Promise<{ readonly folder: string; readonly input: Awaited<ReturnType<Bench['prepare']>> }> {
  const input = await bench.prepare(recipe);
  return { folder: dirname(input.path), input };
}

/** An empty folder of a run, removed at the end. */
export function newFolder(bench: Bench): { readonly path: string } & Disposable {
  const path = bench.newPath();
  mkdirSync(path, { recursive: true });
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function below(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}
