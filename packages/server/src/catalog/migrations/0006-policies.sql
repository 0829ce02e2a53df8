-- When backups are taken by themselves, and what is kept of them.

-- The order in which an environment's backups were made: clocks are set back and forward.
ALTER TABLE backup ADD COLUMN made_no {{ms}} NOT NULL DEFAULT 0;
-- Why no rule removes it; null where rules may.
ALTER TABLE backup ADD COLUMN pin_reason TEXT;
-- Why it may not be what it should be, though it is whole; it never makes a better one go.
ALTER TABLE backup ADD COLUMN doubt TEXT;

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

-- The schedules of an environment: since when each is as it is, and why it was last passed over.
CREATE TABLE environment_schedule (
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  schedule {{id}} NOT NULL,
  timing TEXT NOT NULL,
  since_at {{ms}} NOT NULL,
  skipped_at {{ms}},
  skip_reason TEXT,
  PRIMARY KEY (environment_id, schedule)
){{strict}};

-- Automated backups, removed ones too: or what they were made for would be made again.
CREATE TABLE schedule_run (
  backup_id {{id}} PRIMARY KEY,
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  begun_at {{ms}} NOT NULL,
  schedules TEXT NOT NULL
){{strict}};

CREATE INDEX schedule_run_begun ON schedule_run (environment_id, begun_at);
