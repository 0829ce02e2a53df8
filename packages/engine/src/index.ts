export type {
  Backend,
  ByteRange,
  FileKind,
  FileName,
  ListedFile,
  ListedFileKind,
} from './backend/backend.ts';
export { openBackend } from './backend/open-backend.ts';
export { Chunker, maxChunkBytes, minChunkBytes } from './chunker/chunker.ts';
export { type ChunkerPolynomial, formatPolynomial, parsePolynomial } from './chunker/polynomial.ts';
export {
  type ByteString,
  byteStringToBytes,
  byteStringToText,
  type FilePath,
  toByteString,
} from './format/byte-string.ts';
export { type FileTime, formatFileTime } from './format/file-time.ts';
export { asId, isId } from './format/id-codec.ts';
export type { BlobId, IndexId, KeyId, LockId, PackId, SnapshotId, TreeId } from './format/ids.ts';
export type { LockFile } from './format/lock-file.ts';
export type { ExtendedAttribute, Node } from './format/node.ts';
export type { SnapshotRecord } from './format/snapshot-file.ts';
export type { SnapshotSummary } from './format/snapshot-summary.ts';
export {
  formatTimestamp,
  localTimestamp,
  parseTimestamp,
  type Timestamp,
  utcTimestamp,
} from './format/timestamp.ts';
export { checkRepository } from './maintenance/check.ts';
export type { CheckOptions, CheckProgress } from './maintenance/check-scope.ts';
export type {
  Affected,
  DamagedPath,
  DamageFinding,
  Finding,
  LostBlobFinding,
  NoteFinding,
} from './maintenance/finding.ts';
export { type ForgetResult, forgetSnapshots } from './maintenance/forget.ts';
export type { LockOptions } from './repository/acquire-lock.ts';
export type { BlobReader, BlobType, BlobWriter, SavedBlob } from './repository/blob-store.ts';
export { type InitOptions, initRepository } from './repository/init-repository.ts';
export type { KeyInfo, KeyStore } from './repository/key-store.ts';
export type { LockConflict, LockKind } from './repository/lock-conflict.ts';
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
  ParentBackup,
} from './snapshot/backup-request.ts';
export type { EntryReport } from './snapshot/entry-report.ts';
export { noProgress, type ProgressReport, type ProgressSink } from './snapshot/progress.ts';
export { restoreNode, restoreSnapshot } from './snapshot/restore.ts';
export type {
  OverwriteRule,
  RestoreNodeRequest,
  RestoreOptions,
  RestoreRequest,
  RestoreResult,
  RestoreSnapshotRequest,
  RestoreSummary,
} from './snapshot/restore-request.ts';
export { type ScanRequest, type ScanSummary, scanSources } from './snapshot/scan.ts';
export { sourcesFromArguments } from './snapshot/source-arguments.ts';
export type { BackupSource } from './snapshot/source-tree.ts';
export { findNode, readNodes } from './snapshot/tree-reader.ts';
export { type VerifyRequest, type VerifySummary, verifyTree } from './snapshot/verify.ts';
export { type WalkEntry, type WalkRequest, walkTree } from './snapshot/walk.ts';
