import { PassThrough, Writable } from 'node:stream';
import { type ExitStatus, systemClock } from '@holdfast/base';
import type { CliContext } from '../context.ts';
import { Interrupts } from '../interrupts.ts';
import { asksForJson, asksForMessages } from '../json-request.ts';
import { discardedOutput, TextOutput } from '../output/text-output.ts';
import { runCli } from '../run-cli.ts';
import type { ProtocolServer } from './protocol-server.ts';

export interface CliResult {
  readonly status: ExitStatus;
  readonly output: string;
  readonly notes: string;
}

export interface CliRunOptions {
  readonly server?: ProtocolServer;
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly interrupts?: Interrupts;
  /** Told of each piece of text on standard error. */
  readonly onNote?: (text: string) => void;
}

/** Runs one command line in this process, without a terminal. */
export async function cliRun(words: readonly string[], options: CliRunOptions = {}): Promise<CliResult> {
  const { context, output, notes } = testContext(words, options);
  const status = await runCli(words, context);
  return { status, output: output(), notes: notes() };
}

/** A context without a terminal, and what is written to its outputs. */
export function testContext(
  words: readonly string[],
  { server, env = {}, folder = '/', interrupts = new Interrupts(), onNote }: CliRunOptions = {},
): { context: CliContext; output: () => string; notes: () => string } {
  const output = collector();
  const notes = collector(onNote);
  const asJson = asksForJson(words);
  const errors = new TextOutput(notes.stream);
  const context: CliContext = {
    // Descriptors and not values: a test may give a variable that fails when it is read.
    env: Object.defineProperties(
      {
        HOLDFAST_DATA: '/nowhere/holdfast',
        ...(server === undefined ? {} : { HOLDFAST_URL: server.url, HOLDFAST_TOKEN: server.token }),
      },
      Object.getOwnPropertyDescriptors(env),
    ),
    folder,
    input: new PassThrough(),
    output: new TextOutput(output.stream),
    notes: asJson ? discardedOutput() : errors,
    errors,
    asJson,
    asMessages: asksForMessages(words),
    clock: systemClock,
    interrupts,
  };
  return { context, output: output.text, notes: notes.text };
}

function collector(onText?: (text: string) => void): { stream: Writable; text: () => string } {
  let collected = '';
  const stream = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      collected += text;
      onText?.(text);
      done();
    },
  });
  return { stream, text: () => collected };
}
