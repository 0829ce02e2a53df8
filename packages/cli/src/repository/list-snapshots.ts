import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { Repository, Snapshot } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { printable } from '../output/printable.ts';
import { formatBytes, formatMinute, formatNumberOf } from '../output/quantities.ts';
import { tableLines } from '../output/table.ts';
import { openGivenRepository } from './open-given-repository.ts';
import type { RepositoryOptions } from './repository-options.ts';
import { snapshotJson } from './snapshot-json.ts';
import { findSnapshot, isSelected, type SnapshotSelection, selectionOf } from './snapshot-selection.ts';

export interface SnapshotsOptions extends RepositoryOptions, SnapshotSelection {
  readonly latest?: number;
}

/** No lock: nothing but the snapshots' own files is read, and one that vanishes meanwhile is just not there. */
export async function listSnapshots(
  context: CliContext,
  ids: readonly string[],
  options: SnapshotsOptions,
): Promise<ExitStatus> {
  const repository = await openGivenRepository(context, options);
  const { snapshots, unreadable } = await selectedSnapshots(context, { repository, ids, options });
  if (options.json === true) context.output.line(JSON.stringify(snapshots.map(snapshotJson)));
  else writeTable(context, snapshots);
  for (const message of unreadable) context.errors.line(printable(`warning: ${message}`));
  return unreadable.length === 0 ? exitStatus.done : exitStatus.warnings;
}

interface Request {
  readonly repository: Repository;
  readonly ids: readonly string[];
  readonly options: SnapshotsOptions;
}

async function selectedSnapshots(
  context: CliContext,
  { repository, ids, options }: Request,
): Promise<{ snapshots: readonly Snapshot[]; unreadable: readonly string[] }> {
  const { signal } = context.interrupts;
  const selection = selectionOf(context, options);
  if (ids.length > 0) {
    const snapshots: Snapshot[] = [];
    for (const id of ids) snapshots.push(await findSnapshot(repository, id, { selection, signal }));
    return { snapshots, unreadable: [] };
  }
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  const selected = snapshots.filter((snapshot) => isSelected(snapshot, selection));
  return {
    snapshots: options.latest === undefined ? selected : newestOfEach(selected, options.latest),
    unreadable: damaged.map(({ error }) => error.message),
  };
}

function newestOfEach(snapshots: readonly Snapshot[], count: number): readonly Snapshot[] {
  const groups = Map.groupBy(snapshots, ({ hostname, paths }) =>
    JSON.stringify([hostname, ...[...paths].sort()]),
  );
  const kept = new Set([...groups.values()].flatMap((group) => group.slice(-count)));
  return snapshots.filter((snapshot) => kept.has(snapshot));
}

function writeTable({ output, notes }: CliContext, snapshots: readonly Snapshot[]): void {
  const left = (text: string) => ({ text, align: 'left' as const });
  const right = (text: string) => ({ text, align: 'right' as const });
  if (snapshots.length > 0) {
    const header = [left('ID'), left('TIME'), left('HOST'), left('TAGS'), right('SIZE'), left('PATHS')];
    const rows = snapshots.map((snapshot) => [
      left(snapshot.id.slice(0, 8)),
      left(formatMinute(Number(snapshot.time.epochNs / 1_000_000n))),
      left(snapshot.hostname),
      left(snapshot.tags.join(',')),
      right(snapshot.summary === undefined ? '-' : formatBytes(snapshot.summary.totalBytesProcessed)),
      left(snapshot.paths.join(', ')),
    ]);
    for (const line of tableLines([header, ...rows], output.columns)) output.line(line);
  }
  notes.line(`${formatNumberOf(snapshots.length, 'snapshot')}.`);
}
