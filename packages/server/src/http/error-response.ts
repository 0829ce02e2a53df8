import { HoldfastError, httpStatusOf, isHoldfastError } from '@holdfast/base';
import type { ErrorReportBody } from '@holdfast/protocol';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';

export interface ErrorResponse {
  readonly status: number;
  readonly body: ErrorReportBody;
}

/**
 * What a client is told of a failure. Coded errors say what they say; of anything else, whose text was not written for
 * users, only that the log knows more.
 *
 * @param requestId by which the log's lines are found
 */
export function errorResponse(error: unknown, requestId: string): ErrorResponse {
  if (isHoldfastError(error)) {
    return { status: httpStatusOf(error), body: toBody(error) };
  }
  const refused = refusal(error);
  if (refused !== undefined) return { status: refused.status, body: toBody(refused.error) };
  const internal = new HoldfastError('internal', 'The server failed unexpectedly.', {
    hint: `Its log says why, at request ${requestId}.`,
  });
  return { status: 500, body: toBody(internal) };
}

function toBody(error: HoldfastError): ErrorReportBody {
  const { code, message, hint, details } = error.toReport();
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details: { ...details } }),
  };
}

/** A request that did not reach its handler: it has another shape, is too long, or is not JSON. */
function refusal(error: unknown): { readonly status: number; readonly error: HoldfastError } | undefined {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    const place = error.validationContext === 'querystring' ? 'query' : error.validationContext;
    const field = [place, ...(first?.instancePath.split('/') ?? [])].filter((name) => name !== '').join('.');
    return {
      status: 400,
      error: new HoldfastError('usage-invalid', `${field}: ${first?.message ?? 'not as it should be'}.`, {
        hint: 'GET /api/v1/openapi.json describes every request.',
        context: { field },
      }),
    };
  }
  const status = clientStatus(error);
  if (status === undefined || !(error instanceof Error)) return undefined;
  return { status, error: new HoldfastError('usage-invalid', withFullStop(error.message)) };
}

/** Fastify's own refusals carry a status from 400 to 499. */
function clientStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

function withFullStop(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
