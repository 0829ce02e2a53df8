import type { CliContext } from '../context.ts';
import { printable } from '../output/printable.ts';
import { formatCount } from '../output/quantities.ts';

export interface EntryWarnings {
  readonly warnings: readonly { readonly path: string; readonly message: string }[];
  /** May be more than there are `warnings`. */
  readonly warningCount: number;
  /** Restic's word for what was going on. */
  readonly during: 'archival' | 'restore';
}

/** What could not be read or written, on standard error: one line each, or restic's objects. */
export function writeWarnings(
  { errors, asJson }: CliContext,
  { warnings, warningCount, during }: EntryWarnings,
): void {
  for (const { path, message } of warnings) {
    errors.line(
      asJson
        ? JSON.stringify({ message_type: 'error', error: { message }, during, item: path })
        : printable(`warning: ${path}: ${message}`),
    );
  }
  const untold = warningCount - warnings.length;
  if (untold > 0 && !asJson) errors.line(`warning: and ${formatCount(untold)} more like these`);
}
