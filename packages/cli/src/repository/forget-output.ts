import type { RetentionResult, Snapshot, SnapshotGroup } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { printable } from '../output/printable.ts';
import { formatMinute, formatNumberOf } from '../output/quantities.ts';
import { type TableCell, tableLines } from '../output/table.ts';
import { snapshotJson } from './snapshot-json.ts';

export interface DecidedGroup extends RetentionResult<Snapshot> {
  readonly group: SnapshotGroup<Snapshot>;
}

/** A group as restic's `forget --json` has it. */
export function groupJson({ group, keep, remove }: DecidedGroup): object {
  const json = (snapshot: Snapshot): object => snapshotJson(sortedAsGrouped(snapshot, group));
  return {
    tags: group.tags ?? null,
    host: group.hostname ?? '',
    paths: group.paths ?? null,
    keep: nullForNone(keep.map(({ snapshot }) => json(snapshot))),
    remove: nullForNone(remove.map(json)),
    reasons: nullForNone(
      keep.map(({ snapshot, reasons }) => ({ snapshot: json(snapshot), matches: reasons })),
    ),
  };
}

/** restic sorts what it groups by within the snapshots, too. */
function sortedAsGrouped(snapshot: Snapshot, { paths, tags }: DecidedGroup['group']): Snapshot {
  return { ...snapshot, paths: paths ?? snapshot.paths, tags: tags ?? snapshot.tags };
}

/** Two tables for people: what is kept, with the reasons, and what is removed. The oldest first, as in other lists. */
export function writeGroup(
  { output }: CliContext,
  { group, keep, remove }: DecidedGroup,
  { isCompact }: { readonly isCompact: boolean },
): void {
  output.line(printable(groupTitle(group)));
  const kept = keep.toReversed().map(({ snapshot, reasons }) => ({ snapshot, reasons }));
  const removed = remove.toReversed().map((snapshot) => ({ snapshot, reasons: [] }));
  for (const [verb, items] of [
    ['keep', kept],
    ['remove', removed],
  ] as const) {
    if (items.length === 0) continue;
    output.line(`${verb} ${formatNumberOf(items.length, 'snapshot')}:`);
    const rows = items.map((item) => cells(item, { isCompact, hasReasons: verb === 'keep' }));
    const header = titles({ isCompact, hasReasons: verb === 'keep' });
    for (const line of tableLines([header, ...rows], output.columns)) output.line(line);
  }
  output.line('');
}

interface Shape {
  readonly isCompact: boolean;
  readonly hasReasons: boolean;
}

const left = (text: string): TableCell => ({ text, align: 'left' });

function titles({ isCompact, hasReasons }: Shape): TableCell[] {
  const names = [
    'ID',
    'TIME',
    'HOST',
    'TAGS',
    ...(hasReasons ? ['REASONS'] : []),
    ...(isCompact ? [] : ['PATHS']),
  ];
  return names.map(left);
}

function cells(
  { snapshot, reasons }: { readonly snapshot: Snapshot; readonly reasons: readonly string[] },
  { isCompact, hasReasons }: Shape,
): TableCell[] {
  const texts = [
    snapshot.id.slice(0, 8),
    formatMinute(Number(snapshot.time.epochNs / 1_000_000n)),
    snapshot.hostname,
    snapshot.tags.join(','),
    ...(hasReasons ? [reasons.join(', ')] : []),
    ...(isCompact ? [] : [snapshot.paths.join(', ')]),
  ];
  return texts.map(left);
}

function groupTitle({ hostname, paths, tags }: DecidedGroup['group']): string {
  const parts = [
    ...(hostname === undefined ? [] : [`host ${hostname}`]),
    ...(paths === undefined ? [] : [`paths ${paths.join(', ')}`]),
    ...(tags === undefined ? [] : [`tags ${tags.join(', ') || 'none'}`]),
  ];
  return parts.length === 0 ? 'All snapshots' : `Snapshots of ${parts.join(', ')}`;
}

/** Go writes an empty list that was never filled as null. */
function nullForNone(items: readonly object[]): readonly object[] | null {
  return items.length === 0 ? null : items;
}
