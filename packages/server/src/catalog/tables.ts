import type {
  BackupId,
  BackupKind,
  BackupMode,
  BackupStatus,
  DeliveryId,
  EnvironmentId,
  JobId,
  JobKind,
  JobState,
  LogLine,
  NodeId,
  NotificationId,
  RepositoryId,
  ScheduleId,
  TaskId,
  TaskSpec,
  TokenId,
  VaultId,
} from '@holdfast/protocol';

/** JSON as text; read and written through a `jsonColumn`. */
type Json = string;
/** Milliseconds since the Unix epoch. */
type Ms = number;
type Flag = 0 | 1;

export interface NodeTable {
  id: NodeId;
  name: string;
  docker_host: string;
  engine_id: string | null;
  created_at: Ms;
  removed_at: Ms | null;
}

export interface VaultTable {
  id: VaultId;
  name: string;
  location: string;
  is_default: Flag;
  created_at: Ms;
  /** Null for a directory. */
  sealed_credentials: string | null;
  settings: Json;
  /** Of storage that is reached over a network: when it was last tried, and what was wrong then. */
  checked_at: Ms | null;
  problem: Json | null;
  measured_bytes: number | null;
  measured_at: Ms | null;
  /** Null where it is not so. */
  missing_since: Ms | null;
  nearly_full_since: Ms | null;
}

export interface EnvironmentTable {
  id: EnvironmentId;
  node_id: NodeId;
  project: string;
  name: string;
  type: 'production' | 'staging' | 'development';
  folder: string | null;
  /** Components and mounts as they were last discovered. */
  seen: Json;
  state: 'active' | 'inactive';
  first_seen_at: Ms;
  last_seen_at: Ms;
  /** When its user deleted it; null where nobody did. */
  deleted_at: Ms | null;
}

export interface ComponentDeletionTable {
  environment_id: EnvironmentId;
  component: string;
  deleted_at: Ms;
}

export interface ComponentSettingTable {
  environment_id: EnvironmentId;
  component: string;
  backups: Json;
  updated_at: Ms;
}

export interface RepositoryTable {
  id: RepositoryId;
  vault_id: VaultId;
  environment_id: EnvironmentId;
  /** Below the vault's location. */
  folder: string;
  sealed_password: string;
  initialized_at: Ms | null;
  created_at: Ms;
}

/** When a repository was last looked after; none before the first time. */
export interface RepositoryCareTable {
  repository_id: RepositoryId;
  inspected_at: Ms | null;
  pruned_at: Ms | null;
  /** Since when a prune is wanted; null where none is. */
  prune_wanted_at: Ms | null;
}

export interface BackupTable {
  id: BackupId;
  environment_id: EnvironmentId;
  repository_id: RepositoryId;
  job_id: JobId | null;
  kind: BackupKind;
  mode: BackupMode;
  status: BackupStatus;
  description: string;
  components: Json;
  created_by: string;
  created_at: Ms;
  finished_at: Ms | null;
  expires_at: Ms | null;
  bytes: number | null;
  stored_bytes: number | null;
  manifest_snapshot_id: string | null;
  error: Json | null;
  capture: Json | null;
  /** Counts the environment's backups in the order in which they were made, from 1 on. */
  made_no: number;
  /** Null where it is not pinned. */
  pin_reason: string | null;
  /** Why it may not be what it should be, though it is whole. */
  doubt: string | null;
}

export interface PartTable {
  backup_id: BackupId;
  position: number;
  name: string;
  source: Json;
  mount_points: Json;
  snapshot_id: string;
  tree_id: string;
  files: number;
  bytes: number;
  stored_bytes: number;
}

export interface JobTable {
  id: JobId;
  kind: JobKind;
  state: JobState;
  environment_id: EnvironmentId;
  backup_id: BackupId | null;
  request: Json;
  step: string;
  progress: Json | null;
  error: Json | null;
  warnings: Json;
  cancel_requested: Flag;
  created_by: string;
  created_at: Ms;
  started_at: Ms | null;
  finished_at: Ms | null;
  lease_owner: string | null;
  /** By the database's clock on PostgreSQL. */
  lease_until: Ms | null;
  /** Grows by one each time the lease changes hands; 0 while queued. */
  epoch: number;
  /** Of a job that looks after a repository. */
  repository_id: RepositoryId | null;
}

export interface JobLogTable {
  job_id: JobId;
  seq: number;
  time_ms: Ms;
  level: LogLine['level'];
  message: string;
}

export interface TaskTable {
  id: TaskId;
  job_id: JobId;
  epoch: number;
  kind: TaskSpec['kind'];
  events_path: string;
  pid: number | null;
  boot_id: string | null;
  start_ticks: string | null;
  created_at: Ms;
  finished_at: Ms | null;
}

export interface FreezeTable {
  job_id: JobId;
  containers: Json;
  deadline_at: Ms;
  thawed_at: Ms | null;
}

export interface RestoreJournalTable {
  environment_id: EnvironmentId;
  backup_id: BackupId;
  job_id: JobId;
  containers: Json;
  started_at: Ms;
  reason: string;
}

export interface ProjectSettingTable {
  project: string;
  data_retention: Json;
  updated_at: Ms;
}

export interface EnvironmentPolicyTable {
  environment_id: EnvironmentId;
  backup_policy: Json;
  updated_at: Ms;
}

export interface EnvironmentScheduleTable {
  environment_id: EnvironmentId;
  schedule: ScheduleId;
  /** As it was when `since_at` was noted. */
  timing: string;
  since_at: Ms;
  skipped_at: Ms | null;
  skip_reason: string | null;
}

export interface ScheduleRunTable {
  backup_id: BackupId;
  environment_id: EnvironmentId;
  begun_at: Ms;
  /** Those that it was made for. */
  schedules: Json;
}

export interface TokenTable {
  id: TokenId;
  name: string;
  /** SHA-256 in hexadecimal. */
  hash: string;
  rights: Json;
  created_at: Ms;
}

export interface NotificationTable {
  id: NotificationId;
  name: string;
  /** Null: the default ones of its kind. */
  events: Json | null;
  /** Null: all. */
  environments: Json | null;
  allow_private: Flag;
  /** What of the settings may be shown. */
  settings: Json;
  sealed_settings: string;
  last_delivered_at: Ms | null;
  last_error: Json | null;
  created_at: Ms;
}

export interface NotificationDeliveryTable {
  id: DeliveryId;
  notification_id: NotificationId;
  event_key: string;
  message: Json;
  state: 'queued' | 'delivered' | 'failed' | 'superseded';
  /** Counted when one begins: tells an attempt from all others. */
  attempts: number;
  /** By the database's clock on PostgreSQL, as `lease_until`. */
  next_attempt_at: Ms;
  lease_until: Ms | null;
  error: Json | null;
  created_at: Ms;
  finished_at: Ms | null;
}

/** Every table of the catalog, as `migrations/` make it. */
export interface Tables {
  node: NodeTable;
  vault: VaultTable;
  environment: EnvironmentTable;
  component_setting: ComponentSettingTable;
  component_deletion: ComponentDeletionTable;
  repository: RepositoryTable;
  repository_care: RepositoryCareTable;
  backup: BackupTable;
  part: PartTable;
  job: JobTable;
  job_log: JobLogTable;
  task: TaskTable;
  freeze: FreezeTable;
  restore_journal: RestoreJournalTable;
  project_setting: ProjectSettingTable;
  environment_policy: EnvironmentPolicyTable;
  environment_schedule: EnvironmentScheduleTable;
  schedule_run: ScheduleRunTable;
  token: TokenTable;
  notification: NotificationTable;
  notification_delivery: NotificationDeliveryTable;
}
