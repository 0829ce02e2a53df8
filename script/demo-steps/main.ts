import { parseOptions } from './options.ts';
import { type DemoResult, runDemo } from './run-demo.ts';
import { createStory } from './story.ts';

/** Everything together; each step has a shorter limit of its own. */
const limitMs = 40 * 60_000;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env);
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => interrupted.abort(new Error('The demo was interrupted.')));
  }
  const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(limitMs)]);
  const story = createStory(options.json ? process.stderr : process.stdout);
  let result: DemoResult;
  try {
    result = await runDemo(options, story, signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.stderr.write('demo: interrupted\n');
    return 130;
  }
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.verified ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
