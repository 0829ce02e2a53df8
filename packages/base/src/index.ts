export { type Abortable, sleep, throwIfAborted, untilAborted } from './abort.ts';
export { type Clock, systemClock } from './clock.ts';
export { type ErrorCode, type ErrorKind, errorCodes, isErrorCode } from './error-codes.ts';
export {
  type ErrorReport,
  HoldfastError,
  type HoldfastErrorOptions,
  isHoldfastError,
  type SafeValue,
  systemErrorCode,
  toHoldfastError,
} from './holdfast-error.ts';
export { isSameProcess, isZombie, ownProcessIdentity, type ProcessIdentity } from './process-identity.ts';
export { type ExitStatus, exitStatus, exitStatusOfKind, httpStatusOf } from './statuses.ts';
export { TaskGroup } from './task-group.ts';
export { type WholeLinesOptions, wholeLines } from './whole-lines.ts';
