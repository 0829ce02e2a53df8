-- Looking after repositories: beside the jobs of their environments, and when it was last done.

-- Of a job that looks after a repository.
ALTER TABLE job ADD COLUMN repository_id {{id}};

DROP INDEX job_one_unfinished;

-- The repository's own locks keep these apart from all else.
CREATE UNIQUE INDEX job_one_unfinished ON job (environment_id)
  WHERE state IN ('queued', 'running') AND kind NOT IN ('prune', 'inspect');

CREATE UNIQUE INDEX job_one_of_repository ON job (repository_id, kind)
  WHERE state IN ('queued', 'running') AND kind IN ('prune', 'inspect');

CREATE TABLE repository_care (
  repository_id {{id}} PRIMARY KEY REFERENCES repository (id) ON DELETE CASCADE,
  inspected_at {{ms}},
  pruned_at {{ms}},
  prune_wanted_at {{ms}}
){{strict}};
