export {
  type ArchivedBackup,
  type ArchiveNote,
  archivedBackupFileName,
  archivedBackupSchema,
  archiveNotesHeader,
  decodeArchiveNotes,
  encodeArchiveNotes,
} from './archived-backup.ts';
export {
  type BackupKind,
  type BackupMode,
  type BackupStatus,
  type CaptureFacts,
  captureFactsSchema,
  type LogLine,
  logLineSchema,
  type Manifest,
  manifestSchema,
  type SealedPart,
  sealedPartSchema,
  snapshotTags,
} from './backup-record.ts';
export {
  type ArchiveFormat,
  archiveFormatSchema,
  type DataRequest,
  dataRequestSchema,
} from './data-request.ts';
export { type EnvironmentModel, environmentModelSchema } from './environment-model.ts';
export { type ErrorReportBody, errorReportSchema } from './error-report.ts';
export {
  type GateCommand,
  type GateEvent,
  type GateHoldReport,
  type GateReleaseReason,
  gateCommandSchema,
  gateEventSchema,
} from './gate-message.ts';
export {
  type Backup,
  type BackupExpiry,
  type BackupSummary,
  backupSchema,
  backupSummarySchema,
  type Difference,
  type Download,
  downloadSchema,
  type ListedFile,
  type ReplacedBackup,
  type ResourceChoice,
  resourceChoiceSchema,
  retentionSchema,
} from './http/backup-routes.ts';
export {
  ApiError,
  apiError,
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  type RequestAddress,
} from './http/client.ts';
export {
  type BackupIntegration,
  type BackupIntegrationChange,
  type ComponentDetails,
  durationSchema,
} from './http/component-routes.ts';
export type { DeletionPlan, Undeletion } from './http/deletion-routes.ts';
export type {
  Component,
  Deletion,
  Environment,
  EnvironmentSummary,
  Instance,
  Mount,
} from './http/environment-routes.ts';
export type { Upload } from './http/import-routes.ts';
export {
  isJobOver,
  type Job,
  type JobEvent,
  type JobKind,
  type JobState,
  jobKindSchema,
  jobStateSchema,
} from './http/job-routes.ts';
export type { Node } from './http/node-routes.ts';
export {
  type Notification,
  type NotificationEventName,
  type NotificationKind,
  type NotificationSettings,
  type NotificationSettingsChange,
  notificationEventSchema,
  notificationEvents,
  notificationKinds,
  notificationSettingsChangeSchema,
  notificationSettingsSchema,
  type ShownNotificationSettings,
  shownSettingsSchema,
} from './http/notification-routes.ts';
export {
  type Right,
  type Route,
  type RouteBody,
  type RouteParams,
  type RouteQuery,
  type RouteResponse,
  rights,
} from './http/route.ts';
export { apiPrefix, type RouteName, type Routes, routes } from './http/routes.ts';
export type {
  EnvironmentSchedule,
  ExplainedBackup,
  PolicyExplanation,
} from './http/schedule-routes.ts';
export { type ServerFile, serverFileSchema } from './http/server-file.ts';
export type { Repository } from './http/server-routes.ts';
export {
  type EnvironmentStatus,
  type Problem,
  type ProblemKind,
  problemKinds,
  type Status,
} from './http/status-routes.ts';
export type { Vault, VaultUsage } from './http/vault-routes.ts';
export {
  type BackupId,
  backupIdSchema,
  type DeliveryId,
  deliveryIdSchema,
  type EnvironmentId,
  environmentIdSchema,
  type JobId,
  jobIdSchema,
  type NodeId,
  type NotificationId,
  nodeIdSchema,
  notificationIdSchema,
  objectIdSchema,
  type RepositoryId,
  repositoryIdSchema,
  type TaskId,
  type TokenId,
  taskIdSchema,
  timeMsSchema,
  tokenIdSchema,
  type UploadId,
  uploadIdSchema,
  type VaultId,
  vaultIdSchema,
} from './ids.ts';
export {
  componentsOfPart,
  isOfMount,
  isOneFile,
  type MountPoint,
  type MountSource,
  mountPointSchema,
  mountSourceSchema,
  type PartSource,
  partSourceSchema,
} from './mount.ts';
export { type MountsOfTarget, mountForPart, volumeKeyOf } from './mount-for-part.ts';
export {
  type BackupPolicy,
  backupPolicySchema,
  type CronPolicy,
  cronPolicySchema,
  type EnvironmentType,
  environmentTypes,
  type IntervalSchedule,
  intervalScheduleSchema,
  intervalSchema,
  keepForSchema,
  type ProjectSettings,
  type ProjectSettingsChange,
  projectSettingsChangeSchema,
  projectSettingsSchema,
  type ScheduleId,
  scheduleIdSchema,
  timeZoneSchema,
} from './policy.ts';
export type { RepositoryAccess, StorageAccess } from './repository-access.ts';
export {
  type FoundBackup,
  type InspectedBackup,
  type MoverEvent,
  moverEventSchema,
  type Progress,
  progressSchema,
  type TaskOutcome,
  taskOutcomeSchema,
} from './task/mover-event.ts';
export { type FreezeFacts, type MoverMessage, moverMessageSchema } from './task/mover-message.ts';
export {
  type AdoptTask,
  adoptTaskSchema,
  type BackupTask,
  backupTaskSchema,
  type CodeTask,
  type CompareTask,
  codeTaskSchema,
  type FeedTask,
  type ForgetTask,
  feedTaskSchema,
  forgetTaskSchema,
  type ImportTask,
  type InspectTask,
  importTaskSchema,
  inspectTaskSchema,
  type PruneTask,
  pruneTaskSchema,
  type RebuildTask,
  type RestoreTask,
  type ReviseTask,
  rebuildTaskSchema,
  restoreTaskSchema,
  reviseTaskSchema,
  type SettleTask,
  type TaskSpec,
  taskSpecSchema,
  type UnpackTask,
  unpackTaskSchema,
  type VaultTask,
} from './task/task-spec.ts';
export {
  type VaultMarker,
  type VaultReport,
  vaultMarkerName,
  vaultMarkerSchema,
} from './vault-report.ts';
