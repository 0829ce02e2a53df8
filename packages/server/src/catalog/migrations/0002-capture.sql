-- How a backup's contents came to be of one moment.

ALTER TABLE backup ADD COLUMN capture TEXT;
