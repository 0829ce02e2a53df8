import { exitStatus, exitStatusOfKind, toHoldfastError } from '@holdfast/base';
import { steerGate } from './control-client.ts';
import { type GateSettings, gateHelp, parseGateFlags } from './gate-flags.ts';
import { runGate } from './run-gate.ts';

/** Requests that are in flight when the gate is told to stop have so long to end. */
const graceMs = 8_000;

/** `holdfast gate`: runs until a signal stops it. Answers with the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const flags = parseGateFlags(args, process.env);
  if (flags.want === 'help') process.stdout.write(gateHelp());
  else if (flags.want === 'run') await serve(flags.settings);
  else {
    await steerGate(flags.socket, { input: process.stdin, output: process.stdout });
    // Standard input may stay open.
    process.exit(exitStatus.done);
  }
  return exitStatus.done;
}

async function serve(settings: GateSettings): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped.resolve());
  const running = await runGate(settings);
  process.stderr.write(`The gate before ${settings.target.href} listens on port ${running.port}.\n`);
  await stopped.promise;
  await running[Symbol.asyncDispose]();
  // Connections that live long do not keep it.
  setTimeout(() => process.exit(exitStatus.done), graceMs).unref();
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { code, kind, message, hint } = toHoldfastError(error);
  process.stderr.write(`error[${code}]: ${message}${hint === undefined ? '' : ` ${hint}`}\n`);
  process.exitCode = exitStatusOfKind(kind);
}
