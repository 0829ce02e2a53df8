-- When backups are taken by themselves, and what is kept of them.

-- The order in which an environment's backups were made: clocks are set back and forward.
ALTER TABLE backup ADD COLUMN made_no {{ms}} NOT NULL DEFAULT 0;
-- Why no rule removes it; null where rules may.
ALTER TABLE backup ADD COLUMN pin_reason TEXT;

UPDATE backup SET made_no = (
  SELECT count(*) FROM backup AS other
  WHERE other.environment_id = backup.environment_id
    AND (other.created_at < backup.created_at
      OR (other.created_at = backup.created_at AND other.id <= backup.id))
);

CREATE UNIQUE INDEX backup_made ON backup (environment_id, made_no);

CREATE TABLE project_setting (
  project {{id}} PRIMARY KEY,
  data_retention TEXT NOT NULL,
  updated_at {{ms}} NOT NULL
){{strict}};

-- By weekday and hour; it beats what its project says.
CREATE TABLE environment_policy (
  environment_id {{id}} PRIMARY KEY REFERENCES environment (id),
  backup_policy TEXT NOT NULL,
  updated_at {{ms}} NOT NULL
){{strict}};

-- What became of each time that a schedule was due: one row, however many servers share the catalog.
CREATE TABLE schedule_run (
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  schedule {{id}} NOT NULL,
  slot_at {{ms}} NOT NULL,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  backup_id {{id}},
  reason TEXT,
  noted_at {{ms}} NOT NULL,
  PRIMARY KEY (environment_id, schedule, slot_at, attempt)
){{strict}};
