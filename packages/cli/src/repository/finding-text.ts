import type { Finding, LostBlobFinding } from '@holdfast/engine';
import { formatBytes } from '../output/quantities.ts';

const shownPaths = 5;

/** What a check found, as one line for people. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'key-damaged':
      return `error: key ${finding.keyId}: ${finding.reason}`;
    case 'snapshot-damaged':
      return `error: snapshot ${finding.snapshotId}: ${finding.reason}`;
    case 'index-damaged':
      return `error: index ${finding.indexId}: ${finding.reason}`;
    case 'pack-missing':
      return `error: pack ${finding.packId} is missing`;
    case 'pack-size-wrong':
      return `error: pack ${finding.packId} has ${finding.actualBytes} bytes, and should have ${finding.expectedBytes}`;
    case 'pack-damaged':
      return `error: pack ${finding.packId}: ${finding.reason}`;
    case 'blob-missing':
    case 'blob-damaged':
    case 'tree-damaged':
      return `error: ${finding.type} blob ${finding.blobId}: ${finding.reason} ${affectedText(finding)}`;
    case 'pack-unindexed':
      return (
        `note: pack ${finding.packId} (${formatBytes(finding.sizeBytes)}) is in no index: ` +
        'harmless, left by a backup that was cut off'
      );
  }
}

function affectedText({ affected }: LostBlobFinding): string {
  const paths = affected.paths
    .slice(0, shownPaths)
    .map(({ snapshotId, path }) => `${snapshotId.slice(0, 8)}:${path}`);
  if (paths.length === 0) return '(nothing that can be read leads to it)';
  const hasMore = affected.paths.length > shownPaths || !affected.isComplete;
  return `(needed for ${paths.join(', ')}${hasMore ? ' and more' : ''})`;
}
