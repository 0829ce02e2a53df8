-- What was set for components by the API; it beats their labels.

CREATE TABLE component_setting (
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  component TEXT NOT NULL,
  backups TEXT NOT NULL,
  updated_at {{ms}} NOT NULL,
  PRIMARY KEY (environment_id, component)
){{strict}};
