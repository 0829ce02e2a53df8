import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorResponse } from './error-response.ts';

/** Answers a failed request with its coded error, and logs what is the server's own fault. */
export async function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { status, body } = errorResponse(error, request.id);
  const fields = { method: request.method, path: pathOf(request), status, code: body.code };
  if (status >= 500) request.log.error({ ...fields, err: error }, body.message);
  else request.log.debug(fields, body.message);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return await reply.code(status).send(body);
}

/** Without the query, which is nobody's business in a log. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
