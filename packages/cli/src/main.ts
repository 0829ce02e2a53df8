import { exitStatus } from '@holdfast/base';
import type { InterruptKind } from './interrupts.ts';
import { processContext } from './process-context.ts';
import { runCli, writeThrown } from './run-cli.ts';

/** The command line of this process. */
const words = process.argv.slice(2);
const context = processContext(words);

process.on('uncaughtException', (error) => process.exit(writeThrown(context, error)));

const interruptBy = (kind: InterruptKind) => () => {
  if (!context.interrupts.interrupt(kind)) process.exit(exitStatus.interrupted);
};
process.on('SIGINT', interruptBy('interrupt'));
process.on('SIGTERM', interruptBy('terminate'));
// Stock restic's `unlock` sends SIGHUP to whoever holds a lock of a repository, to see whether it is alive.
if (words.some((word) => word.startsWith('repository'))) process.on('SIGHUP', () => {});

const status = await runCli(words, context);
await Promise.all([context.output.flush(), context.errors.flush()]);
process.exit(status);
