import { TaskGroup } from '@holdfast/base';
import { connectDocker, killLeftCommands, startCommand } from '@holdfast/docker';
import { backupSources } from '@holdfast/engine';
import type { SavedPart, WritingTask } from '../capture/part.ts';
import type { PhaseProgress } from '../phase-progress.ts';
import type { TaskContext } from '../task-context.ts';
import { endInWords, logLines, secondsText } from './command-log.ts';
import { CommandOutput, type CommandPart } from './command-output.ts';

const mostAtOnce = 2;
const memoryBytes = 32 * 1024 * 1024;

/**
 * Runs the backup commands of a task, two at a time, and saves what they print.
 * @throws HoldfastError for the first that fails, in whatever way: see `CommandOutput`
 */
export async function readCommands(writing: WritingTask, progress: PhaseProgress): Promise<SavedPart[]> {
  const { commands } = writing.task;
  await using tasks = new TaskGroup(writing.locked);
  const saved: SavedPart[] = [];
  const left = commands.entries();
  const work = async (): Promise<void> => {
    for (const [position, part] of left) {
      saved[position] = await readCommand(part, writing, { progress, signal: tasks.signal });
    }
  };
  const workers = Array.from({ length: Math.min(mostAtOnce, commands.length) }, () => tasks.start(work()));
  await Promise.all(workers);
  return saved;
}

async function readCommand(
  part: CommandPart,
  { context, locked: { repository }, writer }: WritingTask,
  { progress, signal }: { readonly progress: PhaseProgress; readonly signal: AbortSignal },
): Promise<SavedPart> {
  const { name, containerId, containerName, command, timeoutMs } = part;
  const { containers } = await connectDocker({ host: part.dockerHost });
  const left = await killLeftCommands(containers, containerId, { signal });
  if (left > 0) context.warn(`${name}: ${left} commands of an earlier run were still there, and were killed`);
  context.info(`${name}: the backup command runs in ${containerName}`);
  const startedAtMs = context.clock.now();
  await using running = await startCommand(containers, containerId, command, { timeoutMs, signal });
  running.stdin.end();
  const output = new CommandOutput(part, running);
  try {
    const modifiedAt = { seconds: Math.floor(startedAtMs / 1000), nanoseconds: 0 };
    const result = await backupSources({
      writer,
      blobs: repository.blobs,
      polynomial: repository.polynomial,
      sources: [],
      streams: [{ stream: output.read(), treePath: ['data'], modifiedAt }],
      options: { memoryBytes },
      progress: progress.part(name),
      signal,
    });
    return { spec: part, startedAtMs, previousId: undefined, result };
  } finally {
    tellEnd(context, name, output);
  }
}

function tellEnd(context: TaskContext, name: string, { end, bytes, said }: CommandOutput): void {
  const how =
    end === undefined
      ? 'was ended before it was done'
      : `ended with ${endInWords(end.exitCode)} after ${secondsText(end.durationMs)}`;
  context.info(`${name}: the backup command ${how}; ${bytes} bytes of output`);
  logLines(context, name, said);
}
