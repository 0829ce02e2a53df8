import { runConsistency } from '../capture/consistency.ts';
import { subjectKinds } from '../capture/subject-kinds.ts';
import type { SoakCase } from '../soak-case.ts';

/** A case for each kind of app: what its consistent backups restore to. */
export const consistencyCases: readonly SoakCase[] = subjectKinds.map((kind) => ({
  name: kind.name,
  run: async ({ seed, rounds, path, signal, say }) => {
    const { failed, required, forbidden, frozenMs } = await runConsistency(kind, {
      ...{ seed, rounds, path, signal, say },
    });
    const facts = { commits_required: required, commits_forbidden: forbidden, frozen_ms: frozenMs };
    return { runs: rounds, failed, facts };
  },
}));
