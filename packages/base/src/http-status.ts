import type { ErrorCode, ErrorKind } from './error-codes.ts';
import type { HoldfastError } from './holdfast-error.ts';

const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  usage: 400,
  'not-allowed': 403,
  'not-found': 404,
  'not-possible': 409,
  failed: 500,
  interrupted: 503,
};

/** Where the kind alone says too little. */
const statusOfCode: Partial<Readonly<Record<ErrorCode, number>>> = {
  unauthenticated: 401,
  'docker-unreachable': 502,
  'docker-refused': 502,
  'storage-bucket-missing': 502,
  'storage-credentials-wrong': 502,
  'storage-unreachable': 502,
  'notification-failed': 502,
  'catalog-unreachable': 503,
  'storage-full': 507,
};

/** With which status HTTP answers an error. */
export function httpStatusOf({ code, kind }: HoldfastError): number {
  return statusOfCode[code] ?? statusOfKind[kind];
}
