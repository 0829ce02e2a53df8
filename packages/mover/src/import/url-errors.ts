import { HoldfastError, systemErrorCode } from '@holdfast/base';

const howToAllow =
  'Give a URL on the public Internet, or have an administrator allow the range of its address (import-allow, in docs/configuration.md).';

/**
 * What went wrong with a URL. All else of it than scheme and host may be a secret (it may be signed, or name its user), so
 * no message, context or cause has it.
 */
export const urlErrors = {
  unreadable: (): HoldfastError =>
    new HoldfastError('url-refused', 'This is not a URL.', { hint: 'Write http://… or https://….' }),

  scheme: ({ protocol }: URL): HoldfastError =>
    new HoldfastError('url-refused', `Nothing is downloaded by ${protocol} URLs.`, {
      hint: 'Give an http or https URL, or upload the file (--from-file).',
      context: { scheme: protocol },
    }),

  address: ({ hostname }: URL, address: string): HoldfastError =>
    new HoldfastError('url-refused', `${hostname} is ${address}, which is no public address.`, {
      hint: howToAllow,
      context: { host: hostname, address },
    }),

  downgrade: ({ hostname }: URL): HoldfastError =>
    new HoldfastError('url-refused', `${hostname} redirects from https to http.`, {
      hint: 'Give the URL that it redirects to, if that is trusted.',
      context: { host: hostname },
    }),

  redirects: ({ hostname }: URL, most: number): HoldfastError =>
    new HoldfastError('url-refused', `There are more than ${most} redirects, up to ${hostname}.`, {
      hint: 'Give the URL that they lead to.',
      context: { host: hostname },
    }),

  status: ({ hostname }: URL, status: number): HoldfastError =>
    new HoldfastError('url-failed', `${hostname} answered with status ${status}.`, {
      hint: 'Open the URL elsewhere to see whether it is right; a signed one may have expired.',
      context: { host: hostname, status },
      retry: status === 408 || status === 429 || status >= 500,
    }),

  brokenOff: ({ hostname }: URL, receivedBytes: number): HoldfastError =>
    new HoldfastError('url-failed', `The download from ${hostname} broke off after ${receivedBytes} bytes.`, {
      hint: 'Try again when the connection is better, or upload the file (--from-file).',
      context: { host: hostname, receivedBytes },
      retry: true,
    }),

  changed: ({ hostname }: URL): HoldfastError =>
    new HoldfastError('url-failed', `The file at ${hostname} changed while it was downloaded.`, {
      hint: 'Try again once it is complete there.',
      context: { host: hostname },
      retry: true,
    }),

  tooLarge: ({ hostname }: URL, limitBytes: number): HoldfastError =>
    new HoldfastError('url-limit-reached', `${hostname} sends more than ${limitBytes} bytes.`, {
      hint: 'An administrator can raise the limit (import-limit-bytes, in docs/configuration.md).',
      context: { host: hostname, limitBytes },
    }),

  tooSlow: ({ hostname }: URL, windowMs: number, leastBytes: number): HoldfastError =>
    new HoldfastError(
      'url-limit-reached',
      `${hostname} sent less than ${leastBytes} bytes in ${windowMs / 1000} s.`,
      {
        hint: 'Try again when it is faster, or upload the file (--from-file).',
        context: { host: hostname },
      },
    ),

  tooLong: ({ hostname }: URL, durationMs: number): HoldfastError =>
    new HoldfastError(
      'url-limit-reached',
      `The download from ${hostname} took longer than ${durationMs / 1000} s.`,
      {
        hint: 'An administrator can raise the limit (import-limit-time, in docs/configuration.md).',
        context: { host: hostname },
      },
    ),
};

/** What may pass by itself. */
const passing: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

/** A failure of the network, of the name or of the other end's protocol. */
export function connectionError({ hostname }: URL, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const code = systemErrorCode(error) ?? 'unknown';
  return new HoldfastError('url-failed', `The connection to ${hostname} failed: ${code}.`, {
    hint: 'Check the host and the port of the URL and, for https, its certificate.',
    context: { host: hostname, systemError: code },
    retry: passing.has(code),
    cause: error,
  });
}
