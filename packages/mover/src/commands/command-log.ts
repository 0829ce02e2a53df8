import type { TaskContext } from '../task-context.ts';

const mostLines = 100;
const mostCharacters = 2000;

/** Notes what a command said, each line as one of the log: its head and its tail, if there is more than anyone reads. */
export function logLines(context: Pick<TaskContext, 'info'>, name: string, said: string): void {
  const lines = said.split(/\r?\n|\r/).filter((line) => line.trim() !== '');
  const left = lines.length - mostLines;
  const shown =
    left > 0
      ? [
          ...lines.slice(0, mostLines / 2),
          `[${left} lines left out]`,
          ...lines.slice(lines.length - mostLines / 2),
        ]
      : lines;
  for (const line of shown) context.info(`${name} | ${line.slice(0, mostCharacters)}`);
}

/** The last line that says anything: where most programs tell what went wrong. */
export function lastLine(said: string): string {
  const line = said
    .split(/[\r\n]+/)
    .findLast((each) => each.trim() !== '')
    ?.trim();
  return (line ?? '').slice(-300);
}

/** Bytes that may be anything, as text that is safe to show; empty where most of them are no text. */
export function readableText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  const odd = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd]/g;
  const oddCount = text.match(odd)?.length ?? 0;
  return oddCount > text.length / 10 ? '' : text.replace(odd, '');
}

/** How a command ended, in words: `status 2`, or the signal that ended it. */
export function endInWords(exitCode: number): string {
  return exitCode > 128 && exitCode < 192
    ? `status ${exitCode} (by signal ${exitCode - 128})`
    : `status ${exitCode}`;
}

/** `3.1 s` */
export function secondsText(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
