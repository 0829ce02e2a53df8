import type { JobId, LogLine } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { NumberedLogLine } from './job-record.ts';

/** The lines that a job noted, numbered from 1 in the order in which they were appended. */
export interface LogStore {
  /** All lines or none. */
  append(jobId: JobId, lines: readonly LogLine[]): Promise<void>;
  /** At most `limit` lines with numbers above `after`, in order. */
  list(jobId: JobId, after: number, limit: number): Promise<readonly NumberedLogLine[]>;
}

export function createLogStore(catalog: Catalog): LogStore {
  return {
    append: async (jobId, lines) => {
      if (lines.length === 0) return;
      await catalog.write(async (tx) => {
        // Whoever appends at the same time waits here, so that the numbers have no gap and no double.
        await tx
          .selectFrom('job')
          .select('id')
          .where('id', '=', jobId)
          .$if(catalog.dialect === 'postgresql', (query) => query.forUpdate())
          .execute();
        const last = await tx
          .selectFrom('job_log')
          .select((row) => row.fn.max('seq').as('seq'))
          .where('job_id', '=', jobId)
          .executeTakeFirst();
        const first = (last?.seq ?? 0) + 1;
        await tx
          .insertInto('job_log')
          .values(
            lines.map(({ timeMs, level, message }, index) => ({
              job_id: jobId,
              seq: first + index,
              time_ms: timeMs,
              level,
              message,
            })),
          )
          .execute();
      });
    },

    list: async (jobId, after, limit) => {
      const rows = await catalog.db
        .selectFrom('job_log')
        .select(['seq', 'time_ms', 'level', 'message'])
        .where('job_id', '=', jobId)
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(({ seq, time_ms, level, message }) => ({
        seq,
        line: { timeMs: time_ms, level, message },
      }));
    },
  };
}
