-- What is told of all environments at once comes out of indexes alone, however many backups and jobs there are.
CREATE INDEX backup_of_sort ON backup (environment_id, status, kind, mode, made_no);

CREATE INDEX job_of_sort ON job (kind, state);

-- How much a vault held when that was last counted, and when that was.
ALTER TABLE vault ADD COLUMN measured_bytes {{ms}};
ALTER TABLE vault ADD COLUMN measured_at {{ms}};
