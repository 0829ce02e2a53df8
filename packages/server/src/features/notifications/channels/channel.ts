import { HoldfastError } from '@holdfast/base';
import type { AllowedAddresses, ResolveName } from '@holdfast/outbound';
import type { DeliveryId } from '@holdfast/protocol';
import type { Message } from '../notification-message.ts';

/** A message on its way to one receiver. */
export interface Outgoing {
  /** The same for each repeat, so that the receiver can tell. */
  readonly id: DeliveryId;
  readonly message: Message;
}

export interface SendOptions {
  readonly allowed: AllowedAddresses;
  readonly resolveName: ResolveName;
  readonly userAgent: string;
  /** Now, in milliseconds since the epoch. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/**
 * Sends a message once, and answers with what the other side said.
 *
 * @throws HoldfastError `notification-failed`, whose `retry` says whether another attempt may succeed; `url-refused`;
 *   what the signal was aborted with
 */
export type Channel<Settings> = (
  outgoing: Outgoing,
  settings: Settings,
  options: SendOptions,
) => Promise<string>;

/** No cause is kept with these: it may have more of the settings in it than may be logged. */
export const failures = {
  address: (host: string, address: string): HoldfastError =>
    new HoldfastError('url-refused', `${host} is ${address}, which is no public address.`, {
      hint: 'Allow it for this notification (--allow-private) if it is on a network of yours. Link-local and metadata addresses never are.',
      context: { host, address },
    }),

  connection: (host: string, reason: string): HoldfastError =>
    new HoldfastError('notification-failed', `The connection to ${host} failed: ${reason}.`, {
      hint: 'Check host and port, whether it runs and, for TLS, its certificate.',
      context: { host, reason },
      retry: true,
    }),

  answer: (host: string, answer: string, retry: boolean): HoldfastError =>
    new HoldfastError('notification-failed', `${host} did not take it: ${answer}.`, {
      hint: 'Check the settings of the notification, and what the other side says of it.',
      context: { host },
      retry,
    }),

  tooLong: (timeoutMs: number): HoldfastError =>
    new HoldfastError('notification-failed', `There was no answer within ${timeoutMs / 1000} s.`, {
      hint: 'Check that it runs, and that nothing on the way drops the connection.',
      retry: true,
    }),
};
