import { exitStatus, exitStatusOfKind, toHoldfastError } from '@holdfast/base';
import { type Config, loadConfig } from './config/load-config.ts';
import { parseServerFlags, serverHelp } from './config/server-flags.ts';
import { startServer } from './start-server.ts';

/** `holdfast server`: runs until a signal stops it. Answers with the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const parsed = parseServerFlags(args);
  if (parsed.want === 'help') {
    process.stdout.write(serverHelp());
    return exitStatus.done;
  }
  const config = await loadConfig({
    flags: parsed.flags,
    environment: process.env,
    isRoot: process.getuid?.() === 0,
    workingDirectory: process.cwd(),
  });
  await serve(config);
  // A mover that finishes alone, and whose output is still open here, must not keep its server from ending.
  process.exit(exitStatus.done);
}

async function serve(config: Config): Promise<void> {
  const stopped = signalled();
  await using server = await startServer(config);
  process.stderr.write(
    `Holdfast ${server.version} listens on ${server.url} (data in ${config.dataDirectory}). Ctrl-C stops it.\n`,
  );
  const signal = await stopped;
  process.stderr.write(`${signal}: stopping. A second one ends it at once.\n`);
}

/** The first signal to stop; each later one ends the process where it stands. */
function signalled(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let count = 0;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      count += 1;
      if (count > 1) process.exit(exitStatus.interrupted);
      resolve(signal);
    });
  }
  return promise;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { code, kind, message, hint } = toHoldfastError(error);
  process.stderr.write(`error[${code}]: ${message}${hint === undefined ? '' : ` ${hint}`}\n`);
  process.exitCode = exitStatusOfKind(kind);
}
