import { z } from 'zod';
import { errorReportSchema } from './error-report.ts';

/**
 * What steers a gate, one JSON object a line, over one connection to its control socket.
 *
 * - `hold`: from now on new requests wait. Answered by `held` when those in flight have ended, or after `drainMs`.
 *   Whatever happens, the gate releases by itself `limitMs` after it began to hold.
 * - `release`: lets everything go on. The end of the connection means the same.
 * - `status`
 */
export const gateCommandSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hold'),
    limitMs: z.int().positive(),
    drainMs: z.int().nonnegative(),
  }),
  z.object({ type: z.literal('release') }),
  z.object({ type: z.literal('status') }),
]);

export type GateCommand = z.infer<typeof gateCommandSchema>;

export const gateReleaseReasonSchema = z.enum(['told', 'limit', 'abandoned', 'stopped']);

export type GateReleaseReason = z.infer<typeof gateReleaseReasonSchema>;

/** What a gate did while it held. */
export const gateHoldReportSchema = z.object({
  reason: gateReleaseReasonSchema,
  /** From the hold to the release. */
  heldMs: z.number().nonnegative(),
  /** Requests (or connections) that waited and went on. */
  heldRequests: z.int().nonnegative(),
  /** Answered with 503, because too much waited already. */
  refusedRequests: z.int().nonnegative(),
  /** Clients that went away while they waited. */
  lostRequests: z.int().nonnegative(),
  longestWaitMs: z.number().nonnegative(),
});

export type GateHoldReport = z.infer<typeof gateHoldReportSchema>;

/**
 * What a gate answers:
 *
 * - `held`: nothing new gets through. `inFlight` requests had not ended when the drain time was over.
 * - `released`: after a hold, for whatever reason it ended.
 * - `status`
 * - `failed`: a command that was not understood, or not possible now.
 */
export const gateEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('held'), inFlight: z.int().nonnegative() }),
  z.object({ type: z.literal('released'), report: gateHoldReportSchema }),
  z.object({
    type: z.literal('status'),
    state: z.enum(['open', 'draining', 'holding']),
    inFlight: z.int().nonnegative(),
    waiting: z.int().nonnegative(),
  }),
  z.object({ type: z.literal('failed'), error: errorReportSchema }),
]);

export type GateEvent = z.infer<typeof gateEventSchema>;
