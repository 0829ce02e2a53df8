import type { Readable } from 'node:stream';
import { apiError, type CallOptions, type Client, type Routes } from '@holdfast/protocol';
import { connectionError } from './connect.ts';

/** What a server sends, as it comes. */
export interface IncomingDownload {
  /** By name, in small letters. */
  header(name: string): string | undefined;
  readonly body: Readable;
}

const done = 200;

/**
 * Opens a download of any size: `fetch` would make it a stream of the web, which costs more processor time than all else
 * that is done with it here.
 * @throws ApiError; HoldfastError `server-unreachable`
 */
export async function openDownload(
  client: Client,
  options: CallOptions<Routes['backup.download']>,
): Promise<IncomingDownload> {
  const { url, headers } = client.addressOf('backup.download', options);
  // No other command needs it.
  const { request } = await import('undici');
  try {
    const { signal } = options;
    const answer = await request(url, {
      headers: { ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.statusCode !== done) throw apiError(answer.statusCode, await answer.body.text());
    const header = (name: string): string | undefined => {
      const value = answer.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    };
    return { header, body: answer.body };
  } catch (error) {
    throw connectionError(error, { url: url.href, token: '' });
  }
}
