import type { ErrorCode, ErrorKind } from './error-codes.ts';
import type { HoldfastError } from './holdfast-error.ts';

/** Exit statuses of every Holdfast process. */
export const exitStatus = {
  done: 0,
  failed: 1,
  usage: 2,
  warnings: 3,
  notFound: 4,
  notAllowed: 5,
  notPossible: 6,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

const statusesOfKind: Record<ErrorKind, { readonly exit: ExitStatus; readonly http: number }> = {
  failed: { exit: exitStatus.failed, http: 500 },
  usage: { exit: exitStatus.usage, http: 400 },
  'not-found': { exit: exitStatus.notFound, http: 404 },
  'not-allowed': { exit: exitStatus.notAllowed, http: 403 },
  'not-possible': { exit: exitStatus.notPossible, http: 409 },
  interrupted: { exit: exitStatus.interrupted, http: 503 },
};

/** Where the kind alone says too little. */
const httpStatusOfCode: Partial<Readonly<Record<ErrorCode, number>>> = {
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

export function exitStatusOfKind(kind: ErrorKind): ExitStatus {
  return statusesOfKind[kind].exit;
}

/** With which status HTTP answers an error. */
export function httpStatusOf({ code, kind }: HoldfastError): number {
  return httpStatusOfCode[code] ?? statusesOfKind[kind].http;
}
