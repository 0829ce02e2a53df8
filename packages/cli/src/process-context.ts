import { systemClock } from '@holdfast/base';
import type { CliContext } from './context.ts';
import { Interrupts } from './interrupts.ts';
import { asksForJson, asksForMessages } from './json-request.ts';
import { discardedOutput, TextOutput } from './output/text-output.ts';

/** The outside world as this process sees it. `words`: its command line. */
export function processContext(words: readonly string[]): CliContext {
  const asJson = asksForJson(words);
  const errors = new TextOutput(process.stderr);
  return {
    env: process.env,
    folder: currentFolder(),
    input: process.stdin,
    output: new TextOutput(process.stdout),
    notes: asJson ? discardedOutput() : errors,
    errors,
    asJson,
    asMessages: asksForMessages(words),
    clock: systemClock,
    interrupts: new Interrupts(),
  };
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    // It was removed. Nothing but a relative path depends on it.
    return '/';
  }
}
