export { type ArchiveFormat, archiveFormatOf } from './archive/archive-format.ts';
export type { ArchiveMember } from './archive/archive-items.ts';
export { type ArchiveLimits, defaultArchiveLimits } from './archive/archive-limits.ts';
export { archiveNotes } from './archive/archive-notes.ts';
export { importArchive } from './archive/import-archive.ts';
export type {
  ChecksumLists,
  ImportArchiveRequest,
  ImportedArchive,
  SavedArchiveTree,
} from './archive/import-request.ts';
export {
  type ArchiveRequest,
  type ContentsRequest,
  entriesAt,
  entriesBeneath,
  writeContent,
  writeTar,
  writeZip,
} from './archive/write-archive.ts';
export type {
  Backend,
  ByteRange,
  FileKind,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  Pace,
  TransferOptions,
} from './backend/backend.ts';
export {
  type BackendOptions,
  isRemoteLocation,
  openBackend,
  openPlainFiles,
} from './backend/open-backend.ts';
export type {
  FolderUsage,
  PlainFileStatus,
  PlainFiles,
  PlainWriteOptions,
} from './backend/plain-files.ts';
export type { BucketLookup, S3Credentials, S3Options } from './backend/s3/s3-options.ts';
export { type BandwidthOptions, withBandwidthLimit } from './backend/wrappers/bandwidth-limit.ts';
export { withConcurrencyLimit } from './backend/wrappers/concurrency-limit.ts';
export { defaultCacheDirectory } from './backend/wrappers/default-cache.ts';
export { type MetadataCacheOptions, withMetadataCache } from './backend/wrappers/metadata-cache.ts';
export { withReadOnly } from './backend/wrappers/read-only.ts';
export type { Retry, RetryOptions } from './backend/wrappers/repeater.ts';
export { withRetries } from './backend/wrappers/retries.ts';
export { maxChunkBytes, minChunkBytes } from './chunker/chunk-window.ts';
export { ChunkWindows } from './chunker/chunk-windows.ts';
export { type ChunkerPolynomial, formatPolynomial, parsePolynomial } from './chunker/polynomial.ts';
export { zstdParameters } from './crypto/zstd.ts';
export { inodesMappedForWriting } from './filesystem/mapped-files.ts';
export { setStoragePriority } from './filesystem/storage-priority.ts';
export {
  type ByteString,
  byteStringToBytes,
  byteStringToText,
  type FilePath,
  toByteString,
} from './format/byte-string.ts';
export { type FileTime, formatFileTime } from './format/file-time.ts';
export { permissionsOf } from './format/go-file-mode.ts';
export { asId, isId } from './format/id-codec.ts';
export type { BlobId, IndexId, KeyId, LockId, PackId, SnapshotId, TreeId } from './format/ids.ts';
export type { LockFile } from './format/lock-file.ts';
export type { ExtendedAttribute, Node } from './format/node.ts';
export type { SnapshotRecord } from './format/snapshot-file.ts';
export { encodeSummary, type SnapshotSummary } from './format/snapshot-summary.ts';
export {
  formatTimestamp,
  localTimestamp,
  parseTimestamp,
  type Timestamp,
  utcTimestamp,
} from './format/timestamp.ts';
export {
  type CalendarDuration,
  formatCalendarDuration,
  parseCalendarDuration,
} from './maintenance/calendar-duration.ts';
export { checkRepository } from './maintenance/check.ts';
export type { CheckOptions, CheckProgress } from './maintenance/check-scope.ts';
export {
  type AffectedSnapshot,
  affectedSnapshots,
  type SnapshotRoot,
} from './maintenance/drift/affected-snapshots.ts';
export { type DropResult, dropFromIndex } from './maintenance/drift/drop-from-index.ts';
export {
  type Drift,
  type DriftedPack,
  type DriftedSnapshot,
  type DriftResult,
  findDrift,
} from './maintenance/drift/find-drift.ts';
export type {
  Affected,
  DamagedPath,
  DamageFinding,
  Finding,
  LostBlobFinding,
  NoteFinding,
} from './maintenance/finding.ts';
export { type ForgetResult, forgetSnapshots } from './maintenance/forget.ts';
export type { PackSubset } from './maintenance/pack-subset.ts';
export { type ExecuteOptions, executePrune, type PruneResult } from './maintenance/prune/execute-prune.ts';
export { planPrune } from './maintenance/prune/plan-prune.ts';
export type { MaxUnused, PruneOptions, PruneProgress } from './maintenance/prune/prune-options.ts';
export type { PruneFigures, PrunePlan } from './maintenance/prune/prune-plan.ts';
export {
  applyRetention,
  isEmptyPolicy,
  type KeepCount,
  type KeptSnapshot,
  type RetainedSnapshot,
  type RetentionPolicy,
  type RetentionResult,
} from './maintenance/retention.ts';
export {
  type GroupBy,
  type GroupCriterion,
  groupSnapshots,
  type SnapshotGroup,
} from './maintenance/snapshot-groups.ts';
export {
  collectStatistics,
  type Statistics,
  type StatisticsMode,
  type StatisticsRequest,
  statisticsModes,
} from './maintenance/statistics.ts';
export type { LockOptions } from './repository/acquire-lock.ts';
export type { BlobReader, BlobType, BlobWriter, SavedBlob } from './repository/blob-store.ts';
export type { DamagedIndex } from './repository/index-store.ts';
export { type InitOptions, initRepository } from './repository/init-repository.ts';
export type { KeyInfo, KeyStore } from './repository/key-store.ts';
export type { LockConflict, LockKind } from './repository/lock-conflict.ts';
export {
  type LockedRepository,
  type LockWaiting,
  lockRepository,
  openAtLocation,
  openToRead,
  type RepositoryAccess,
  type WithSignal,
} from './repository/locked-repository.ts';
export { type OpenOptions, openRepository } from './repository/open-repository.ts';
export type { Repository } from './repository/repository.ts';
export type { RepositoryLock } from './repository/repository-lock.ts';
export { type Identity, type Runtime, systemRuntime } from './repository/runtime.ts';
export type { SnapshotFilter } from './repository/snapshot-filter.ts';
export type {
  DamagedSnapshot,
  LockedOptions,
  Snapshot,
  SnapshotList,
  SnapshotStore,
} from './repository/snapshot-store.ts';
export { backupSources } from './snapshot/backup.ts';
export type {
  BackupOptions,
  BackupRequest,
  BackupResult,
  BackupSummary,
  EntryCounts,
  MappedWrites,
  ParentBackup,
} from './snapshot/backup-request.ts';
export {
  type DiffTreesRequest,
  diffTrees,
  type TreeChange,
  type TreeDifference,
} from './snapshot/diff-trees.ts';
export { DryBlobWriter } from './snapshot/dry-blob-writer.ts';
export type { EntryReport } from './snapshot/entry-report.ts';
export { cacheDirectoryTag, type ExcludeRules, type ExcludeTag } from './snapshot/exclusion.ts';
export { KnownFiles } from './snapshot/known-files.ts';
export { noProgress, type ProgressReport, type ProgressSink } from './snapshot/progress.ts';
export { type ReadFileRequest, readFileContent } from './snapshot/read-file.ts';
export { restoreNode, restoreSnapshot } from './snapshot/restore.ts';
export type {
  OverwriteRule,
  RestoreAction,
  RestoredEntry,
  RestoredEntrySink,
  RestoreNodeRequest,
  RestoreOptions,
  RestoreRequest,
  RestoreResult,
  RestoreSnapshotRequest,
  RestoreSummary,
} from './snapshot/restore-request.ts';
export type { RestorePatterns } from './snapshot/restore-selection.ts';
export { type ScanRequest, type ScanSummary, scanSources } from './snapshot/scan.ts';
export { sourcesFromArguments } from './snapshot/source-arguments.ts';
export type { BackupSource, StreamSource } from './snapshot/source-tree.ts';
export type { CopiedAside, Standstill } from './snapshot/standstill.ts';
export { directoryOf, saveTopEntry } from './snapshot/top-entry.ts';
export { findNode, readNodes } from './snapshot/tree-reader.ts';
export { TreeSpool } from './snapshot/tree-spool.ts';
export { type NodeTotals, TreeTotals } from './snapshot/tree-totals.ts';
export { type VerifyRequest, type VerifySummary, verifyTree } from './snapshot/verify.ts';
export { type WalkEntry, type WalkRequest, walkTree } from './snapshot/walk.ts';
export { type CompareRequest, compareTarget } from './staging/compare-target.ts';
export type { Difference, DifferentEntry, StagedRestore, StageRequest } from './staging/stage-request.ts';
export { openStagedRestore, settleStaged } from './staging/staged-restore.ts';
export { prepareThreads } from './workers/worker-pool.ts';
