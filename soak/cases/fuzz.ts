import {
  type FuzzResult,
  fuzzTargets,
  genuineFileTargets,
  runChunkerFuzz,
  runFuzz,
  testRepository,
} from '@holdfast/engine/soak';
import type { SoakCase } from '../soak-case.ts';

const msPerTarget = 18_000;
const noLimit = 1_000_000_000;
/** One small input that takes longer than this is as good as a hang. */
const longestMs = 30_000;

/** Any bytes, and valid ones after changes, to everything that reads what others wrote. */
export const fuzzCase: SoakCase = {
  name: 'fuzz',
  run: async ({ seed, say }) => {
    await using place = await testRepository({ locksAtOnce: true });
    const options = { seed, runs: noLimit, forMs: msPerTarget };
    const results = new Map<string, FuzzResult>();
    const note = (name: string, result: FuzzResult): void => {
      results.set(name, result);
      say(`${name}: ${result.runs} inputs, ${result.failure ?? 'ok'}`);
    };
    for (const target of [...fuzzTargets, ...genuineFileTargets(place)]) {
      note(target.name, await runFuzz(target, options));
    }
    note('chunker', await runChunkerFuzz(options));
    const failed = [...results].flatMap(([name, { failure, slowestMs }]) => [
      ...(failure === undefined ? [] : [`${name}: ${failure}`]),
      ...(slowestMs > longestMs ? [`${name}: one input took ${Math.round(slowestMs)} ms`] : []),
    ]);
    const inputs = Object.fromEntries([...results].map(([name, { runs }]) => [name, runs]));
    const runs = [...results.values()].reduce((total, result) => total + result.runs, 0);
    return { runs, failed, facts: { inputs } };
  },
};
