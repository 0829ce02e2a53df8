import { z } from 'zod';

/**
 * What the server writes to a mover's standard input, one JSON object a line, after the task spec on the first line.
 *
 * - `go`: begin to read or write data. Before it the mover has opened nothing but its event file; for a backup it counts
 *   what there is to read, for progress.
 * - `commit`: everything that the mover reported as sealed may count: write the manifest (backup), or begin to
 *   write to the target (restore: the containers are stopped). Answered by `committed`.
 * - `cancel`: end as soon as possible with outcome `cancelled`.
 *
 * End of input before `go`, or between `go` and `commit`, means that the server is gone: the mover aborts and leaves
 * nothing that counts. After `commit` it finishes alone.
 */
export const moverMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('go') }),
  z.object({ type: z.literal('commit') }),
  z.object({ type: z.literal('cancel') }),
]);

export type MoverMessage = z.infer<typeof moverMessageSchema>;
