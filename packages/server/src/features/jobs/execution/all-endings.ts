import type { JobEndings } from './work-on-job.ts';

/** Several that each have their say, in this order. */
export function allEndings(...endings: readonly JobEndings[]): JobEndings {
  return {
    explain: async (job, failure) => {
      let explained = failure;
      for (const each of endings) explained = await each.explain(job, explained);
      return explained;
    },
    record: async (job, outcome, tx) => {
      for (const each of endings) await each.record(job, outcome, tx);
    },
  };
}
