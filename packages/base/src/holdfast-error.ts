import { type ErrorCode, type ErrorKind, errorCodes, isErrorCode } from './error-codes.ts';

export type SafeValue = string | number | boolean | null | readonly string[];

export interface HoldfastErrorOptions {
  /** What the user can do about it: one or two sentences. */
  readonly hint?: string;
  /** Facts for logs and for the API's `details`. Never a secret, never file contents. */
  readonly context?: Readonly<Record<string, SafeValue>>;
  /** True when the same call may succeed if simply tried again. */
  readonly retry?: boolean;
  readonly cause?: unknown;
}

/** The wire form of an error: HTTP bodies, mover events and `--format json` all carry this object. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** The one error class. A throw is a failure; expected outcomes are return values. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly context: Readonly<Record<string, SafeValue>>;
  readonly retry: boolean;

  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.context = options.context ?? {};
    this.retry = options.retry ?? false;
  }

  get kind(): ErrorKind {
    return errorCodes[this.code];
  }

  toReport(): ErrorReport {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(Object.keys(this.context).length === 0 ? {} : { details: this.context }),
    };
  }

  /** The inverse of `toReport`, for the receiving end; a code that this version does not know becomes `internal`. */
  static fromReport(report: ErrorReport): HoldfastError {
    const code = isErrorCode(report.code) ? report.code : 'internal';
    return new HoldfastError(code, report.message, {
      ...(report.hint === undefined ? {} : { hint: report.hint }),
      ...(report.details === undefined ? {} : { context: safeValues(report.details) }),
    });
  }
}

export function isHoldfastError(error: unknown, ...codes: readonly ErrorCode[]): error is HoldfastError {
  return error instanceof HoldfastError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * Turns whatever was thrown into a `HoldfastError`: an abort becomes `interrupted`, anything unknown becomes
 * `internal` with the original as `cause` (its text reaches logs, its stack never reaches a user).
 */
export function toHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new HoldfastError('interrupted', 'The work was interrupted.', { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new HoldfastError('internal', `Unexpected failure: ${message}`, {
    hint: 'This is a defect of Holdfast. Please report it with the log of this run.',
    cause: error,
  });
}

/** The `code` of a Node system error (`ENOENT`, `EACCES`, …), if it is one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof HoldfastError || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function safeValues(details: Readonly<Record<string, unknown>>): Record<string, SafeValue> {
  const safe: Record<string, SafeValue> = {};
  for (const [key, value] of Object.entries(details)) {
    const isScalar = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
    if (isScalar || isList) safe[key] = value as SafeValue;
  }
  return safe;
}
