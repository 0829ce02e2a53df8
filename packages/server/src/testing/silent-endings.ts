import type { JobEndings } from '../features/jobs/execution/work-on-job.ts';

/** For jobs whose end means nothing beyond their own rows. */
export const silentEndings: JobEndings = {
  explain: async (_job, failure) => failure,
  record: async () => {},
};
