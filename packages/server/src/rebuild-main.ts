import { resolve } from 'node:path';
import { exitStatus, exitStatusOfKind, HoldfastError, toHoldfastError } from '@holdfast/base';
import { loadConfig } from './config/load-config.ts';
import { parseRebuildFlags, type RebuildFlags, rebuildHelp } from './config/server-flags.ts';
import type { TakenRepository } from './features/rebuild/rebuild-catalog.ts';
import { runRebuild } from './run-rebuild.ts';

/** `holdfast catalog:rebuild`. Answers with the exit status. */
async function main(parsed: RebuildFlags): Promise<number> {
  if (parsed.want === 'help') {
    process.stdout.write(rebuildHelp());
    return exitStatus.done;
  }
  const { flags, recoveryKeyFile, asJson } = parsed;
  const config = await loadConfig({
    flags,
    environment: process.env,
    isRoot: process.getuid?.() === 0,
    workingDirectory: process.cwd(),
  });
  const result = await runRebuild({
    config,
    recoveryKeyFile: recoveryKeyFile === undefined ? undefined : resolve(recoveryKeyFile),
    onTaken: (taken) => {
      if (!asJson) process.stdout.write(`${takenText(taken)}\n`);
    },
    onWarning: (warning) => process.stderr.write(`warning: ${warning}\n`),
    signal: interruption(),
  });
  if (asJson) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  return result.warnings.length === 0 ? exitStatus.done : exitStatus.warnings;
}

function takenText({ folder, environmentId, environmentName, added, known }: TakenRepository): string {
  if (environmentId === null) return `${folder}: no backup`;
  return `${folder}: ${environmentName} (${environmentId}), ${backups(added)} taken in, ${known} known already`;
}

function backups(count: number): string {
  return `${count} ${count === 1 ? 'backup' : 'backups'}`;
}

/** The first signal ends the work as it can be gone on with; a second one ends the process where it stands. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(exitStatus.interrupted);
      abort.abort(
        new HoldfastError('interrupted', 'Interrupted. What was taken in stays.', {
          hint: 'Run it again to go on.',
        }),
      );
    });
  }
  return abort.signal;
}

const args = process.argv.slice(2);
try {
  process.exitCode = await main(parseRebuildFlags(args));
} catch (error) {
  const failure = toHoldfastError(error);
  const { code, kind, message, hint } = failure;
  const asJson = args.includes('--format=json') || args[args.indexOf('--format') + 1] === 'json';
  const line = asJson
    ? JSON.stringify(failure.toReport())
    : `error[${code}]: ${message}${hint === undefined ? '' : ` ${hint}`}`;
  process.stderr.write(`${line}\n`);
  process.exitCode = exitStatusOfKind(kind);
}
