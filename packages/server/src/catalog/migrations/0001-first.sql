-- Tokens: {{id}} text that sorts by its bytes, {{ms}} milliseconds or a count of bytes, {{flag}} 0 or 1,
-- {{strict}} closes a table. JSON stands as text.

CREATE TABLE node (
  id {{id}} PRIMARY KEY,
  name {{id}} NOT NULL UNIQUE,
  docker_host TEXT NOT NULL,
  engine_id TEXT,
  created_at {{ms}} NOT NULL
){{strict}};

CREATE TABLE vault (
  id {{id}} PRIMARY KEY,
  name {{id}} NOT NULL UNIQUE,
  location TEXT NOT NULL,
  is_default {{flag}} NOT NULL,
  created_at {{ms}} NOT NULL
){{strict}};

CREATE TABLE environment (
  id {{id}} PRIMARY KEY,
  node_id {{id}} NOT NULL REFERENCES node (id),
  project {{id}} NOT NULL,
  name {{id}} NOT NULL,
  type TEXT NOT NULL,
  folder TEXT,
  seen TEXT NOT NULL,
  state TEXT NOT NULL,
  first_seen_at {{ms}} NOT NULL,
  last_seen_at {{ms}} NOT NULL,
  UNIQUE (node_id, name)
){{strict}};

CREATE TABLE repository (
  id {{id}} PRIMARY KEY,
  vault_id {{id}} NOT NULL REFERENCES vault (id),
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  folder TEXT NOT NULL,
  sealed_password TEXT NOT NULL,
  initialized_at {{ms}},
  created_at {{ms}} NOT NULL,
  UNIQUE (vault_id, environment_id),
  UNIQUE (vault_id, folder)
){{strict}};

CREATE TABLE backup (
  id {{id}} PRIMARY KEY,
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  repository_id {{id}} NOT NULL REFERENCES repository (id),
  job_id {{id}},
  kind TEXT NOT NULL,
  mode TEXT NOT NULL,
  status TEXT NOT NULL,
  description TEXT NOT NULL,
  components TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at {{ms}} NOT NULL,
  finished_at {{ms}},
  expires_at {{ms}},
  bytes {{ms}},
  stored_bytes {{ms}},
  manifest_snapshot_id TEXT,
  error TEXT
){{strict}};

CREATE INDEX backup_newest ON backup (created_at DESC, id DESC);

CREATE INDEX backup_newest_of_status ON backup (status, created_at DESC, id DESC);

CREATE INDEX backup_newest_of_environment ON backup (environment_id, created_at DESC, id DESC);

CREATE INDEX backup_newest_of_environment_status ON backup (environment_id, status, created_at DESC, id DESC);

CREATE TABLE part (
  backup_id {{id}} NOT NULL REFERENCES backup (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  mount_points TEXT NOT NULL,
  snapshot_id TEXT NOT NULL,
  tree_id TEXT NOT NULL,
  files {{ms}} NOT NULL,
  bytes {{ms}} NOT NULL,
  stored_bytes {{ms}} NOT NULL,
  PRIMARY KEY (backup_id, position)
){{strict}};

CREATE TABLE job (
  id {{id}} PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  backup_id {{id}},
  request TEXT NOT NULL,
  step TEXT NOT NULL,
  progress TEXT,
  error TEXT,
  warnings TEXT NOT NULL,
  cancel_requested {{flag}} NOT NULL,
  created_by TEXT NOT NULL,
  created_at {{ms}} NOT NULL,
  started_at {{ms}},
  finished_at {{ms}},
  lease_owner TEXT,
  lease_until {{ms}},
  epoch INTEGER NOT NULL
){{strict}};

CREATE UNIQUE INDEX job_one_unfinished ON job (environment_id) WHERE state IN ('queued', 'running');

CREATE INDEX job_newest ON job (created_at DESC, id DESC);

CREATE INDEX job_queue ON job (state, created_at, id);

CREATE TABLE job_log (
  job_id {{id}} NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  time_ms {{ms}} NOT NULL,
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (job_id, seq)
){{strict}};

CREATE TABLE task (
  id {{id}} PRIMARY KEY,
  job_id {{id}} NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  kind TEXT NOT NULL,
  events_path TEXT NOT NULL,
  pid INTEGER,
  boot_id TEXT,
  start_ticks TEXT,
  created_at {{ms}} NOT NULL,
  finished_at {{ms}}
){{strict}};

CREATE INDEX task_of_job ON task (job_id, epoch);

CREATE TABLE "freeze" (
  job_id {{id}} PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
  containers TEXT NOT NULL,
  deadline_at {{ms}} NOT NULL,
  thawed_at {{ms}}
){{strict}};

CREATE TABLE restore_journal (
  environment_id {{id}} PRIMARY KEY REFERENCES environment (id),
  backup_id {{id}} NOT NULL,
  job_id {{id}} NOT NULL,
  containers TEXT NOT NULL,
  started_at {{ms}} NOT NULL,
  reason TEXT NOT NULL
){{strict}};

CREATE TABLE token (
  id {{id}} PRIMARY KEY,
  name {{id}} NOT NULL UNIQUE,
  hash {{id}} NOT NULL UNIQUE,
  rights TEXT NOT NULL,
  created_at {{ms}} NOT NULL
){{strict}};
