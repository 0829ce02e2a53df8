import type { PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';

/**
 * Signs the body's SHA-256 with the request: the server refuses bytes that became others on the way. The library would
 * leave out the hash of a stream.
 */
export function withPayloadHash(command: PutObjectCommand | UploadPartCommand, hash: string): void {
  const stack = command.middlewareStack as PutObjectCommand['middlewareStack'];
  stack.add(
    (next) => async (args) => {
      if (hasHeaders(args.request)) args.request.headers['x-amz-content-sha256'] = hash;
      return await next(args);
    },
    { step: 'build', name: 'holdfastPayloadHash' },
  );
}

function hasHeaders(request: unknown): request is { readonly headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}
