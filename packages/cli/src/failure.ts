import {
  type ErrorKind,
  type ErrorReport,
  type ExitStatus,
  errorCodes,
  exitStatus,
  exitStatusOfKind,
  isErrorCode,
  toHoldfastError,
} from '@holdfast/base';
import type { ApiError } from '@holdfast/protocol';
import { CommanderError } from 'commander';
import type { CliContext } from './context.ts';
import { printable } from './output/printable.ts';

/** A failure as the user gets to know it. */
export interface Failure {
  readonly report: ErrorReport;
  readonly status: ExitStatus;
}

/** What was thrown, as a failure. Codes of a server that knows more of them than this program are kept as they are. */
export function failureOf(error: unknown): Failure {
  if (isApiError(error)) {
    return failureOfReport(error.report, statusOfHttp(error.status));
  }
  if (error instanceof CommanderError) return failureOfUsage(error);
  const known = toHoldfastError(error);
  return { report: known.toReport(), status: exitStatusOfKind(known.kind) };
}

/** By its name: a command that talks to no server does not load what talks to servers. */
function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && error.name === ('ApiError' satisfies ApiError['name']);
}

/** @param otherwise status for a code that this version does not know */
export function failureOfReport(report: ErrorReport, otherwise: ExitStatus = exitStatus.failed): Failure {
  const kind: ErrorKind | undefined = isErrorCode(report.code) ? errorCodes[report.code] : undefined;
  return { report, status: kind === undefined ? otherwise : exitStatusOfKind(kind) };
}

/** One line on standard error: `error[code]: what happened. hint`, or the same as one JSON object. */
export function writeFailure({ errors, asJson, asMessages }: CliContext, { report, status }: Failure): void {
  if (asJson) {
    const message = { message_type: 'exit_error', ...report, exit_status: status };
    errors.line(JSON.stringify(asMessages ? message : report));
    return;
  }
  const faults = faultsOf(report);
  for (const fault of faults) errors.line(printable(`error[${report.code}]: ${fault}`));
  if (faults.length > 0) return;
  const hint = report.hint === undefined ? '' : ` ${report.hint}`;
  errors.line(printable(`error[${report.code}]: ${report.message}${hint}`));
}

/** Where several things are wrong with what was given, each of them. */
function faultsOf({ details }: ErrorReport): readonly string[] {
  const faults = details?.faults;
  return Array.isArray(faults) ? faults.filter((fault) => typeof fault === 'string') : [];
}

function statusOfHttp(status: number): ExitStatus {
  switch (status) {
    case 400:
    case 422:
      return exitStatus.usage;
    case 401:
    case 403:
      return exitStatus.notAllowed;
    case 404:
      return exitStatus.notFound;
    case 409:
    case 423:
      return exitStatus.notPossible;
    default:
      return exitStatus.failed;
  }
}

/** commander's message is `error: what\n(Did you mean this?)`. */
function failureOfUsage(error: CommanderError): Failure {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const help = 'See --help.';
  return {
    report: {
      code: 'usage-invalid',
      message: sentence(message),
      hint: suggestion === undefined ? help : `${suggestion.replace(/^\((.*)\)$/, '$1')} ${help}`,
    },
    status: exitStatus.usage,
  };
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}
