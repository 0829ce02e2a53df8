import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { HoldfastError } from '@holdfast/base';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fileOfForm } from './form-file.ts';

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
 * The file that a request brings, as its body or in a form.
 * @throws HoldfastError `usage-invalid` once it is read, where there is none
 */
export async function* fileOf({
  body,
  headers,
}: Pick<FastifyRequest, 'body' | 'headers'>): AsyncGenerator<Uint8Array, void> {
  if (!(body instanceof Readable)) {
    throw new HoldfastError('usage-invalid', 'The request brings no file.', {
      hint: 'Send it as the body, with the type application/octet-stream, or as the one file of a multipart/form-data.',
    });
  }
  const form = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(
    headers['content-type'] ?? '',
  );
  const boundary = form?.[1] ?? form?.[2];
  if (boundary === undefined) yield* body;
  else yield* fileOfForm(body, boundary);
}
