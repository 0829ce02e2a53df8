import { HoldfastError, isHoldfastError } from '@holdfast/base';
import {
  type Container,
  type DockerEngine,
  dependentsFirst,
  discoverEnvironments,
  holdfastLabels,
  labelDurationMs,
  readInventory,
  startCommand,
} from '@holdfast/docker';
import type { JobRun } from '../../jobs/execution/job-handler.ts';

const defaultTimeoutMs = 5 * 60_000;
/** Of what a hook says, so much goes into the log. */
const mostLoggedCharacters = 4000;

type When = 'pre' | 'post';
type OnError = 'fail' | 'warn' | 'ignore';

const labelOf: Readonly<Record<When, string>> = {
  pre: holdfastLabels.backupPre,
  post: holdfastLabels.backupPost,
};

export interface HookOptions {
  readonly run: JobRun;
  readonly docker: DockerEngine;
  readonly environmentName: string;
  /** For what failed and may. */
  readonly warn: (message: string) => void;
}

/**
 * Runs what the labels of the environment's services ask for before and after the work: `holdfast.backup.pre`, dependents
 * before what they depend on, then the work, then `holdfast.backup.post` the other way round, whatever came of the work.
 * Each runs in one running container of its service, by its shell.
 *
 * @throws HoldfastError `hook-failed` where the service says `holdfast.hook.on_error=fail`, as it does by default; what
 * the work throws
 */
export async function withHooks<Result>(options: HookOptions, work: () => Promise<Result>): Promise<Result> {
  const containers = await hookedContainers(options);
  let result: Result;
  try {
    for (const container of containers) await runHook(options, container, 'pre');
    result = await work();
  } catch (error) {
    await runPost(options, containers).catch(() => {});
    throw error;
  }
  await runPost(options, containers);
  return result;
}

/** Only what comes after: for work that was cut off. Failures are warnings. */
export async function runPostHooks(options: HookOptions): Promise<void> {
  await runPost(options, await hookedContainers(options)).catch((error: unknown) =>
    options.warn(error instanceof Error ? error.message : String(error)),
  );
}

/** All of them, also when one fails. @throws the first failure */
async function runPost(options: HookOptions, containers: readonly Container[]): Promise<void> {
  const failures: unknown[] = [];
  for (const container of containers.toReversed()) {
    await runHook(options, container, 'post').catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** One running container of each service that has a hook. */
async function hookedContainers({
  docker,
  environmentName,
  run,
}: HookOptions): Promise<readonly Container[]> {
  const inventory = await readInventory(docker, run);
  const environment = discoverEnvironments(inventory).find(({ name }) => name === environmentName);
  const firsts = environment?.components.flatMap(({ instances }) => {
    const first = instances.find(({ status }) => status === 'running');
    const container = inventory.containers.find(({ id }) => id === first?.containerId);
    return container !== undefined && hasHook(container) ? [container] : [];
  });
  return dependentsFirst(firsts ?? []);
}

function hasHook({ labels }: Container): boolean {
  return Object.values(labelOf).some((label) => (labels[label] ?? '').trim() !== '');
}

async function runHook(options: HookOptions, container: Container, when: When): Promise<void> {
  const command = container.labels[labelOf[when]]?.trim() ?? '';
  if (command === '') return;
  const { run, warn } = options;
  run.step(`Running the ${when} hook of ${container.name}`);
  try {
    await runCommand(options, container, { when, command });
  } catch (error) {
    if (when === 'pre' && run.signal.aborted) throw error;
    const failure = hookFailed(container, when, error);
    switch (onErrorOf(container)) {
      case 'fail':
        throw failure;
      case 'warn':
        warn(failure.message);
        return;
      case 'ignore':
        run.log('info', failure.message);
    }
  }
}

async function runCommand(
  { run, docker }: HookOptions,
  { id, name, labels }: Container,
  { when, command }: { readonly when: When; readonly command: string },
): Promise<void> {
  const timeoutMs = labelDurationMs(labels[holdfastLabels.hookTimeout]?.trim() ?? '') ?? defaultTimeoutMs;
  const signal = when === 'pre' ? run.signal : undefined;
  await using running = await startCommand(docker.containers, id, command, { timeoutMs, signal });
  running.stdin.end();
  let said = '';
  running.stdout.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('utf8')).slice(-mostLoggedCharacters);
  });
  const { exitCode, durationMs, errors } = await running.ended;
  const output = `${said}${errors}`.trim().slice(-mostLoggedCharacters);
  const seconds = (durationMs / 1000).toFixed(1);
  run.log(
    'info',
    `The ${when} hook of ${name} ended with ${exitCode} after ${seconds} s${output && `: ${output}`}`,
  );
  if (exitCode !== 0) throw new HoldfastError('hook-failed', `exit status ${exitCode}`);
}

/** What is no known word means what the default does. */
function onErrorOf({ labels }: Container): OnError {
  const word = labels[holdfastLabels.hookOnError]?.trim();
  return word === 'warn' || word === 'ignore' ? word : 'fail';
}

function hookFailed({ name }: Container, when: When, cause: unknown): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const detail = isHoldfastError(cause, 'hook-failed') ? reason : reason.replace(/\.$/, '');
  return new HoldfastError('hook-failed', `The ${when} hook of ${name} did not succeed: ${detail}.`, {
    hint: `See the log of the backup. ${labelOf[when]} is the command; ${holdfastLabels.hookOnError}=warn takes the backup all the same.`,
    context: { container: name, hook: when },
    cause,
  });
}
