import type { ErrorKind } from './error-codes.ts';

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

const statusOfKind: Record<ErrorKind, ExitStatus> = {
  failed: exitStatus.failed,
  usage: exitStatus.usage,
  'not-found': exitStatus.notFound,
  'not-allowed': exitStatus.notAllowed,
  'not-possible': exitStatus.notPossible,
  interrupted: exitStatus.interrupted,
};

export function exitStatusOfKind(kind: ErrorKind): ExitStatus {
  return statusOfKind[kind];
}
