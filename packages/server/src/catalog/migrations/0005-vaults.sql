-- Vaults in buckets: what opens them, and what came of the last try.

ALTER TABLE vault ADD COLUMN sealed_credentials TEXT;
ALTER TABLE vault ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE vault ADD COLUMN checked_at {{ms}};
ALTER TABLE vault ADD COLUMN problem TEXT;

CREATE UNIQUE INDEX vault_default ON vault (is_default) WHERE is_default = 1;
