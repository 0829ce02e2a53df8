import { z } from 'zod';
import { captureFactsSchema } from '../backup-record.ts';

/**
 * What the server writes to a mover's standard input, one JSON object a line, after the task spec on the first line.
 *
 * - `go`: begin to read or write data. Before it the mover has opened nothing but its event file; for a backup it counts
 *   what there is to read, for progress.
 * - `frozen`: after `precopied`: nothing changes the sources now, take the final pass. Answered by `captured`.
 * - `thawed`: after `captured`: the sources go on.
 * - `live`: instead of `frozen`, or of `thawed`: the environment could not be held still; what was read before counts,
 *   and the backup is a live one.
 * - `commit`: everything that the mover reported as sealed may count: write the manifest (backup, import), or begin to
 *   write to the target (restore: the containers are stopped; feed: they run). Answered by `committed`. For a backup, with what the
 *   server saw of the freeze.
 *   For an inspection: what was found is noted, and the index may forget what is lost.
 * - `cancel`: end as soon as possible with outcome `cancelled`.
 *
 * End of input before `go`, or between `go` and `commit`, means that the server is gone: the mover aborts and leaves
 * nothing that counts. After `commit` it finishes alone, and only a feeding ends when it is cancelled. So does a forgetting,
 * which has no `commit`, between two backups.
 */
export const moverMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('go') }),
  z.object({ type: z.literal('frozen') }),
  z.object({ type: z.literal('thawed') }),
  z.object({ type: z.literal('live') }),
  z.object({
    type: z.literal('commit'),
    capture: captureFactsSchema.omit({ unsteadyFiles: true }).optional(),
  }),
  z.object({ type: z.literal('cancel') }),
]);

export type FreezeFacts = NonNullable<Extract<MoverMessage, { type: 'commit' }>['capture']>;
export type MoverMessage = z.infer<typeof moverMessageSchema>;
