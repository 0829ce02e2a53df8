-- When a user deleted an environment, or a component of one: what is left of it goes once the grace is over.
ALTER TABLE environment ADD COLUMN deleted_at {{ms}};

CREATE TABLE component_deletion (
  environment_id {{id}} NOT NULL REFERENCES environment (id),
  component TEXT NOT NULL,
  deleted_at {{ms}} NOT NULL,
  PRIMARY KEY (environment_id, component)
){{strict}};
