-- A node that was removed stays, for what its environments have in backups.

ALTER TABLE node ADD COLUMN removed_at {{ms}};
