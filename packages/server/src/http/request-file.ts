import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { HoldfastError } from '@holdfast/base';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fileOfForm } from './form-file.ts';

/** A client that sends nothing for so long is gone. */
const idleMs = 120_000;
/** What a client gets to read the answer in, while it still sends what nobody wants. */
const dropMs = 5000;

/** Hands the bodies of files on as they come: they are larger than any limit for what is read into memory. */
export function acceptFiles(app: FastifyInstance): void {
  const asItComes = (
    _request: FastifyRequest,
    body: IncomingMessage,
    done: (error: null, body: Readable) => void,
  ) => done(null, body);
  app.addContentTypeParser(['application/octet-stream', 'multipart/form-data'], asItComes);
}

/**
 * The file that a request brings, as its body or in a form. It breaks off when the signal fires.
 * @throws HoldfastError `usage-invalid` once it is read, where there is none
 */
export async function* fileOf(
  { body, headers, raw }: Pick<FastifyRequest, 'body' | 'headers' | 'raw'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (!(body instanceof Readable)) {
    throw new HoldfastError('usage-invalid', 'The request brings no file.', {
      hint: 'Send it as the body, with the type application/octet-stream, or as the one file of a multipart/form-data.',
    });
  }
  const breakOff = (): void => void body.destroy(signal.reason);
  raw.setTimeout(idleMs);
  signal.addEventListener('abort', breakOff, { once: true });
  try {
    const form =
      /^multipart\/form-data\s*;.*\bboundary=(?:"(?<quoted>[^"]{1,70})"|(?<plain>[^\s;"]{1,70}))/i.exec(
        headers['content-type'] ?? '',
      )?.groups;
    const boundary = form?.quoted ?? form?.plain;
    // Left alone where reading ends early: a request that is destroyed loses its connection, on which nobody looks then.
    const pieces = body.iterator({ destroyOnReturn: false });
    yield* boundary === undefined ? pieces : fileOfForm(pieces, boundary);
  } finally {
    signal.removeEventListener('abort', breakOff);
  }
}

/**
 * Passes over what is left of a request's body: a connection with something unread on it would neither be used again
 * nor end. One that goes on and on is closed.
 */
export function dropRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const timer = setTimeout(() => request.destroy(), dropMs);
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer));
  request.resume();
}
