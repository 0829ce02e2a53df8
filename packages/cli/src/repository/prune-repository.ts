import {
  executePrune,
  type PruneFigures,
  type PruneOptions,
  type PrunePlan,
  type PruneProgress,
  type PruneResult,
  planPrune,
  type Repository,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { formatBytes, formatNumberOf } from '../output/quantities.ts';
import type { ProgressState } from '../terminal/progress-state.ts';
import { showProgress } from '../terminal/show-progress.ts';

/** Plans with a bar. */
export async function planWithProgress(
  context: CliContext,
  repository: Repository,
  options: PruneOptions,
): Promise<PrunePlan> {
  using view = showProgress(context);
  return await planPrune(repository, {
    ...options,
    onProgress: (progress) => view.update(progressState(progress)),
    signal: context.interrupts.signal,
  });
}

/** Executes with a bar, and tells what came of it. */
export async function executeWithProgress(context: CliContext, plan: PrunePlan): Promise<void> {
  const result = await execute(context, plan);
  if (context.asJson) {
    context.output.line(JSON.stringify(resultJson(result)));
    return;
  }
  const freed =
    result.bytesFreed >= 0 ? formatBytes(result.bytesFreed) : `-${formatBytes(-result.bytesFreed)}`;
  context.output.line(
    `Removed ${formatNumberOf(result.packsRemoved, 'pack')}, wrote ${formatNumberOf(result.packsWritten, 'new one')}: ${freed} freed.`,
  );
}

async function execute(context: CliContext, plan: PrunePlan): Promise<PruneResult> {
  using view = showProgress(context);
  return await executePrune(plan, {
    onProgress: (progress) => view.update(progressState(progress)),
    signal: context.interrupts.signal,
  });
}

/** The plan for people. */
export function planLines({ packs, blobs, bytes }: PruneFigures): string[] {
  const lines = [
    `Needed: ${formatNumberOf(blobs.used, 'blob')}, ${formatBytes(bytes.used)}.`,
    `Not needed: ${formatNumberOf(blobs.unused, 'blob')}, ${formatBytes(bytes.unused)}.`,
  ];
  if (blobs.duplicate > 0) {
    lines.push(
      `  Of these, further copies: ${formatNumberOf(blobs.duplicate, 'blob')}, ${formatBytes(bytes.duplicate)}.`,
    );
  }
  lines.push(`To remove: ${formatNumberOf(packs.removed, 'pack')} of which nothing is needed.`);
  if (packs.unreferenced > 0) {
    lines.push(
      `To remove: ${formatNumberOf(packs.unreferenced, 'pack')} that no index names, ${formatBytes(bytes.unreferenced)}.`,
    );
  }
  if (packs.missing > 0) {
    lines.push(`To forget: ${formatNumberOf(packs.missing, 'pack')} that are gone and were not needed.`);
  }
  lines.push(
    `To repack: ${formatNumberOf(packs.repacked, 'pack')}, of which ${formatNumberOf(blobs.repacked, 'blob')} are copied, ${formatBytes(bytes.repacked)}.`,
    `To keep: ${formatNumberOf(packs.kept, 'pack')}.`,
    `This frees ${formatBytes(Math.max(0, bytes.freed))}; ${formatBytes(bytes.remaining)} remain, ${formatBytes(bytes.unusedAfter)} of them not needed.`,
  );
  return lines;
}

export function planJson({ snapshots, packs, blobs, bytes }: PruneFigures): object {
  return {
    message_type: 'plan',
    snapshots,
    packs,
    blobs,
    bytes: {
      used: bytes.used,
      unused: bytes.unused,
      duplicate: bytes.duplicate,
      unreferenced: bytes.unreferenced,
      repacked: bytes.repacked,
      freed: bytes.freed,
      remaining: bytes.remaining,
      unused_after: bytes.unusedAfter,
    },
  };
}

function resultJson(result: PruneResult): object {
  return {
    message_type: 'summary',
    packs_removed: result.packsRemoved,
    packs_written: result.packsWritten,
    bytes_freed: result.bytesFreed,
    leftovers_removed: result.leftoversRemoved,
  };
}

const labels: Readonly<Record<PruneProgress['step'], { readonly label: string; readonly unit: string }>> = {
  snapshots: { label: 'reading snapshots', unit: 'snapshot' },
  trees: { label: 'finding what is needed', unit: 'tree' },
  packs: { label: 'looking at packs', unit: 'pack' },
  repack: { label: 'repacking', unit: 'pack' },
  index: { label: 'removing old indexes', unit: 'index' },
  delete: { label: 'removing packs', unit: 'pack' },
};

function progressState({ step, done, total }: PruneProgress): ProgressState {
  return { ...labels[step], files: done, filesTotal: total ?? null, bytes: 0, bytesTotal: null };
}
