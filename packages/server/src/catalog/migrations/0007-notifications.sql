-- Whom events are told, and what is still to be told or was. A key is told to each once, however many servers share
-- the catalog.

CREATE TABLE notification (
  id {{id}} PRIMARY KEY,
  name {{id}} NOT NULL UNIQUE,
  events TEXT,
  environments TEXT,
  allow_private {{flag}} NOT NULL,
  settings TEXT NOT NULL,
  sealed_settings TEXT NOT NULL,
  last_delivered_at {{ms}},
  last_error TEXT,
  created_at {{ms}} NOT NULL
){{strict}};

CREATE TABLE notification_delivery (
  id {{id}} PRIMARY KEY,
  notification_id {{id}} NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
  event_key {{id}} NOT NULL,
  message TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at {{ms}} NOT NULL,
  lease_until {{ms}},
  error TEXT,
  created_at {{ms}} NOT NULL,
  finished_at {{ms}},
  UNIQUE (notification_id, event_key)
){{strict}};

CREATE INDEX notification_delivery_queue ON notification_delivery (created_at, id) WHERE state = 'queued';

CREATE INDEX notification_delivery_finished ON notification_delivery (finished_at);
