import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import {
  type CheckProgress,
  checkRepository,
  type Finding,
  type PackSubset,
  prepareThreads,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { printable } from '../output/printable.ts';
import { formatNumberOf } from '../output/quantities.ts';
import type { ProgressState } from '../terminal/progress-state.ts';
import { showProgress } from '../terminal/show-progress.ts';
import { findingText } from './finding-text.ts';
import { lockForReading, openGivenRepository } from './open-given-repository.ts';
import type { ReadingRepositoryOptions } from './repository-options.ts';

export interface CheckCommandOptions extends ReadingRepositoryOptions {
  readonly readData?: boolean;
  readonly readDataSubset?: PackSubset;
}

/** @throws HoldfastError `repository-damaged` when anything but remarks was found */
export async function checkGivenRepository(
  context: CliContext,
  options: CheckCommandOptions,
): Promise<ExitStatus> {
  const readsData = options.readData === true || options.readDataSubset !== undefined;
  // What is to be proven is the repository, not copies of it on this machine.
  const repository = await openGivenRepository(context, { ...options, cache: false });
  if (readsData) prepareThreads();
  await using _lock = await lockForReading(context, repository, options);
  const errorCount = await writeFindings(
    context,
    (onProgress) =>
      checkRepository(repository, {
        readData: readsData,
        // Everything is more than a part.
        dataSubset: options.readData === true ? undefined : options.readDataSubset,
        onProgress,
        signal: context.interrupts.signal,
      }),
    options,
  );
  if (options.json === true) {
    context.output.line(JSON.stringify({ message_type: 'summary', num_errors: errorCount }));
  }
  if (errorCount > 0) {
    throw new HoldfastError(
      'repository-damaged',
      `The repository has ${formatNumberOf(errorCount, 'error')}.`,
      {
        hint: readsData ? 'They are listed above.' : 'They are listed above; --read-data finds more.',
        context: { errors: errorCount },
      },
    );
  }
  if (options.json !== true) context.output.line('No errors were found.');
  return exitStatus.done;
}

type Check = (onProgress: (progress: CheckProgress) => void) => AsyncGenerator<Finding, void>;

/** Returns how many of the findings are errors. */
async function writeFindings(
  context: CliContext,
  check: Check,
  options: CheckCommandOptions,
): Promise<number> {
  using view = showProgress(context);
  let errorCount = 0;
  for await (const finding of check((progress) => view.update(progressState(progress)))) {
    if (finding.severity === 'error') errorCount += 1;
    if (options.json === true) context.output.line(JSON.stringify({ message_type: 'finding', ...finding }));
    else view.note(printable(findingText(finding)));
  }
  return errorCount;
}

const labels: Readonly<Record<CheckProgress['step'], { readonly label: string; readonly unit: string }>> = {
  packs: { label: 'looking at packs', unit: 'pack' },
  trees: { label: 'reading trees', unit: 'tree' },
  data: { label: 'proving every byte', unit: 'pack' },
};

function progressState({ step, done, total }: CheckProgress): ProgressState {
  return { ...labels[step], files: done, filesTotal: total ?? null, bytes: 0, bytesTotal: null };
}
