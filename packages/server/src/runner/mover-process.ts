import {
  type Abortable,
  HoldfastError,
  isSameProcess,
  type ProcessIdentity,
  sleep,
  systemErrorCode,
} from '@holdfast/base';

const pollMs = 100;
/** A killed process is gone at once, unless it waits for a disk that does not answer. */
const killTimeoutMs = 30_000;

/** Waits until the process has ended, however long that takes. */
export async function waitForEnd(identity: ProcessIdentity, { signal }: Abortable = {}): Promise<void> {
  while (isSameProcess(identity)) await sleep(pollMs, { signal });
}

/**
 * Kills the process and waits until it is gone; one that is gone already is fine.
 * @throws HoldfastError `mover-lost` when it neither ends nor can be killed: its work may still go on
 */
export async function killProcess(identity: ProcessIdentity, { signal }: Abortable = {}): Promise<void> {
  const deadlineMs = performance.now() + killTimeoutMs;
  while (isSameProcess(identity)) {
    if (performance.now() > deadlineMs) throw cannotKill(identity);
    kill(identity);
    await sleep(pollMs, { signal });
  }
}

function kill(identity: ProcessIdentity): void {
  try {
    process.kill(identity.pid, 'SIGKILL');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EPERM') throw cannotKill(identity);
    if (code !== 'ESRCH') throw error;
  }
}

function cannotKill({ pid }: ProcessIdentity): HoldfastError {
  return new HoldfastError(
    'mover-lost',
    `The mover with process id ${pid} can neither be reached nor ended.`,
    {
      hint: 'See what it waits for (a disk, a network share), end it, and start the server again.',
      context: { pid },
    },
  );
}
