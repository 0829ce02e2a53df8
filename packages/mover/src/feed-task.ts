import { HoldfastError } from '@holdfast/base';
import { connectDocker, killLeftCommands, type RunningCommand, startCommand } from '@holdfast/docker';
import {
  asId,
  findNode,
  type LockedRepository,
  openToRead,
  readFileContent,
  type TreeId,
  toByteString,
  verifyTree,
} from '@holdfast/engine';
import type { FeedTask } from '@holdfast/protocol';
import { endInWords, lastLine, logLines, readableText, secondsText } from './commands/command-log.ts';
import type { PhaseProgress } from './phase-progress.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

type FeedPart = FeedTask['commands'][number];

/**
 * Gives parts to the commands that take them in again. All of every part is fetched and authenticated before `sealed`;
 * no command runs before `commit`. A command sees the end of its input only if it was all there.
 */
export async function runFeedTask(task: FeedTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(task.repository, waitingForLock(context));
  const { repository, signal } = locked;
  const total = { files: 0, bytes: task.commands.reduce((sum, { bytes }) => sum + bytes, 0) };
  const verifying = context.phase('verify');
  verifying.expect(total);
  for (const { name, treeId } of task.commands) {
    const progress = verifying.part(name);
    await verifyTree({ blobs: repository.blobs, treeId: asId<TreeId>(treeId), progress, signal });
  }
  await context.sealAndWaitForCommit();
  context.committed(null, null);
  const restoring = context.phase('restore');
  restoring.expect(total);
  for (const part of task.commands) await feed(part, { context, locked, progress: restoring });
}

interface Feeding {
  readonly context: TaskContext;
  readonly locked: LockedRepository;
  readonly progress: PhaseProgress;
}

async function feed(part: FeedPart, { context, locked, progress }: Feeding): Promise<void> {
  const { name, containerId, containerName, command, timeoutMs } = part;
  const { containers } = await connectDocker({ host: part.dockerHost });
  const left = await killLeftCommands(containers, containerId, locked);
  if (left > 0) context.warn(`${name}: ${left} commands of an earlier run were still there, and were killed`);
  context.info(`${name}: the restore command runs in ${containerName}`);
  await using running = await startCommand(containers, containerId, command, {
    timeoutMs,
    signal: locked.signal,
    guardsInput: true,
  });
  const output = new Tail();
  running.stdout.on('data', (bytes: Buffer) => output.add(bytes));
  try {
    const { isAllTaken, end } = await feedAndWait(part, running, { locked, progress });
    const { exitCode, durationMs } = end;
    context.info(
      `${name}: the restore command ended with ${endInWords(exitCode)} after ${secondsText(durationMs)}`,
    );
    if (exitCode !== 0) throw failed(part, exitCode, lastLine(running.errors || output.text));
    if (!isAllTaken) context.warn(`${name}: the restore command ended before it had read all of its input`);
  } finally {
    logLines(context, name, `${output.text}\n${running.errors}`);
  }
}

async function feedAndWait(
  part: FeedPart,
  running: RunningCommand,
  { locked, progress }: Omit<Feeding, 'context'>,
) {
  let isAllTaken = false;
  const feeding = (async () => {
    isAllTaken = await writeAll(part, running, { locked, progress });
    await running.completeInput();
  })();
  // A repository that fails now leaves the command without an end of its input: it is killed when it is left.
  const [end] = await Promise.all([running.ended, feeding]);
  return { isAllTaken, end };
}

/** False if the command ended before it had read all. */
async function writeAll(
  { name, treeId }: FeedPart,
  { stdin, ended }: RunningCommand,
  { locked, progress }: Omit<Feeding, 'context'>,
): Promise<boolean> {
  const { repository, signal } = locked;
  const { blobs } = repository;
  const node = await findNode(blobs, asId<TreeId>(treeId), [toByteString('data')], { signal });
  const sink = progress.part(name);
  const over = ended.then(
    () => 'over' as const,
    () => 'over' as const,
  );
  let bytes = 0;
  for await (const chunk of readFileContent({ blobs, node, signal })) {
    const written = new Promise<'written'>((resolve) => stdin.write(chunk, () => resolve('written')));
    if ((await Promise.race([written, over])) === 'over') return false;
    bytes += chunk.length;
    sink.report({ files: 0, bytes, path: name });
  }
  return true;
}

const tailBytes = 16_384;

/** The end of what a restore command prints: nobody needs more. */
class Tail {
  #bytes = Buffer.alloc(0);

  add(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]).subarray(-tailBytes);
  }

  get text(): string {
    return readableText(this.#bytes);
  }
}

function failed({ name, containerName }: FeedPart, exitCode: number, reason: string): HoldfastError {
  return new HoldfastError(
    'command-failed',
    `The restore command of ${name} ended with ${endInWords(exitCode)}${reason && `: ${reason}`}`,
    {
      hint: 'What it had done by then depends on the command. The log has all that it said: holdfast backup:log --restore.',
      context: { part: name, container: containerName, exitCode },
    },
  );
}
