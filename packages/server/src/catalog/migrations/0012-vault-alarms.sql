-- Since when a vault is missing, or nearly full; NULL where it is not.

ALTER TABLE vault ADD COLUMN missing_since {{ms}};
ALTER TABLE vault ADD COLUMN nearly_full_since {{ms}};
