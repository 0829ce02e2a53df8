CREATE TABLE backup (
  id TEXT PRIMARY KEY,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  repository_id TEXT NOT NULL REFERENCES repository (id),
  job_id TEXT,
  kind TEXT NOT NULL,
  mode TEXT NOT NULL,
  status TEXT NOT NULL,
  description TEXT NOT NULL,
  components TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  expires_at INTEGER,
  bytes INTEGER,
  stored_bytes INTEGER,
  manifest_snapshot_id TEXT,
  error TEXT
, capture TEXT, made_no INTEGER NOT NULL DEFAULT 0, pin_reason TEXT, doubt TEXT) STRICT;

CREATE UNIQUE INDEX backup_made ON backup (environment_id, made_no);

CREATE INDEX backup_newest ON backup (created_at DESC, id DESC);

CREATE INDEX backup_newest_of_environment ON backup (environment_id, created_at DESC, id DESC);

CREATE INDEX backup_newest_of_environment_status ON backup (environment_id, status, created_at DESC, id DESC);

CREATE INDEX backup_newest_of_status ON backup (status, created_at DESC, id DESC);

CREATE INDEX backup_of_sort ON backup (environment_id, status, kind, mode, made_no);

CREATE TABLE component_deletion (
  environment_id TEXT NOT NULL REFERENCES environment (id),
  component TEXT NOT NULL,
  deleted_at INTEGER NOT NULL,
  PRIMARY KEY (environment_id, component)
) STRICT;

CREATE TABLE component_setting (
  environment_id TEXT NOT NULL REFERENCES environment (id),
  component TEXT NOT NULL,
  backups TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (environment_id, component)
) STRICT;

CREATE TABLE environment (
  id TEXT PRIMARY KEY,
  node_id TEXT NOT NULL REFERENCES node (id),
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  folder TEXT,
  seen TEXT NOT NULL,
  state TEXT NOT NULL,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL, deleted_at INTEGER,
  UNIQUE (node_id, name)
) STRICT;

CREATE TABLE environment_policy (
  environment_id TEXT PRIMARY KEY REFERENCES environment (id),
  backup_policy TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE environment_schedule (
  environment_id TEXT NOT NULL REFERENCES environment (id),
  schedule TEXT NOT NULL,
  timing TEXT NOT NULL,
  since_at INTEGER NOT NULL,
  skipped_at INTEGER,
  skip_reason TEXT,
  PRIMARY KEY (environment_id, schedule)
) STRICT;

CREATE TABLE "freeze" (
  job_id TEXT PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
  containers TEXT NOT NULL,
  deadline_at INTEGER NOT NULL,
  thawed_at INTEGER
) STRICT;

CREATE TABLE job (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  backup_id TEXT,
  request TEXT NOT NULL,
  step TEXT NOT NULL,
  progress TEXT,
  error TEXT,
  warnings TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  lease_owner TEXT,
  lease_until INTEGER,
  epoch INTEGER NOT NULL
, repository_id TEXT) STRICT;

CREATE INDEX job_newest ON job (created_at DESC, id DESC);

CREATE INDEX job_of_sort ON job (kind, state);

CREATE UNIQUE INDEX job_one_of_repository ON job (repository_id, kind)
  WHERE state IN ('queued', 'running') AND kind IN ('prune', 'inspect');

CREATE UNIQUE INDEX job_one_unfinished ON job (environment_id)
  WHERE state IN ('queued', 'running') AND kind NOT IN ('prune', 'inspect');

CREATE INDEX job_queue ON job (state, created_at, id);

CREATE TABLE job_log (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (job_id, seq)
) STRICT;

CREATE TABLE node (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  docker_host TEXT NOT NULL,
  engine_id TEXT,
  created_at INTEGER NOT NULL
, removed_at INTEGER) STRICT;

CREATE TABLE notification (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  events TEXT,
  environments TEXT,
  allow_private INTEGER NOT NULL,
  settings TEXT NOT NULL,
  sealed_settings TEXT NOT NULL,
  last_delivered_at INTEGER,
  last_error TEXT,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE notification_delivery (
  id TEXT PRIMARY KEY,
  notification_id TEXT NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
  event_key TEXT NOT NULL,
  message TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  lease_until INTEGER,
  error TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  UNIQUE (notification_id, event_key)
) STRICT;

CREATE INDEX notification_delivery_finished ON notification_delivery (finished_at);

CREATE INDEX notification_delivery_queue ON notification_delivery (created_at, id) WHERE state = 'queued';

CREATE TABLE part (
  backup_id TEXT NOT NULL REFERENCES backup (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  mount_points TEXT NOT NULL,
  snapshot_id TEXT NOT NULL,
  tree_id TEXT NOT NULL,
  files INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  PRIMARY KEY (backup_id, position)
) STRICT;

CREATE TABLE project_setting (
  project TEXT PRIMARY KEY,
  data_retention TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE repository (
  id TEXT PRIMARY KEY,
  vault_id TEXT NOT NULL REFERENCES vault (id),
  environment_id TEXT NOT NULL REFERENCES environment (id),
  folder TEXT NOT NULL,
  sealed_password TEXT NOT NULL,
  initialized_at INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (vault_id, environment_id),
  UNIQUE (vault_id, folder)
) STRICT;

CREATE TABLE repository_care (
  repository_id TEXT PRIMARY KEY REFERENCES repository (id) ON DELETE CASCADE,
  inspected_at INTEGER,
  pruned_at INTEGER,
  prune_wanted_at INTEGER
) STRICT;

CREATE TABLE restore_journal (
  environment_id TEXT PRIMARY KEY REFERENCES environment (id),
  backup_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  containers TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;

CREATE TABLE schedule_run (
  backup_id TEXT PRIMARY KEY,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  begun_at INTEGER NOT NULL,
  schedules TEXT NOT NULL
) STRICT;

CREATE INDEX schedule_run_begun ON schedule_run (environment_id, begun_at);

CREATE TABLE schema_migration (
    version integer primary key, name text not null, applied_at bigint not null);

CREATE TABLE task (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  kind TEXT NOT NULL,
  events_path TEXT NOT NULL,
  pid INTEGER,
  boot_id TEXT,
  start_ticks TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;

CREATE INDEX task_of_job ON task (job_id, epoch);

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL UNIQUE,
  rights TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE vault (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  location TEXT NOT NULL,
  is_default INTEGER NOT NULL,
  created_at INTEGER NOT NULL
, sealed_credentials TEXT, settings TEXT NOT NULL DEFAULT '{}', checked_at INTEGER, problem TEXT, measured_bytes INTEGER, measured_at INTEGER, missing_since INTEGER, nearly_full_since INTEGER) STRICT;

CREATE UNIQUE INDEX vault_default ON vault (is_default) WHERE is_default = 1;
