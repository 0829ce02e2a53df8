import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../output/quantities.ts';

/** How far something long has come. Totals are null until they are known. */
export interface ProgressState {
  /** What is being done, as a user would say it. */
  readonly label: string;
  /** What `files` counts, in the singular, where it is not files. */
  readonly unit?: string;
  readonly files: number;
  readonly filesTotal: number | null;
  readonly bytes: number;
  readonly bytesTotal: number | null;
}

/** Before a fiftieth is done, nobody can tell how long the rest will take. */
const tellingShare = 1 / 50;
const widestBar = 24;
const narrowestBar = 8;

/** Share of the work that is done, from 0 to 1: by bytes, or by files where there are no bytes; null if unknown. */
export function doneShare(state: ProgressState): number | null {
  if (state.bytesTotal !== null && state.bytesTotal > 0) return Math.min(1, state.bytes / state.bytesTotal);
  if (state.filesTotal !== null && state.filesTotal > 0) return Math.min(1, state.files / state.filesTotal);
  return null;
}

/** `reading files  1,234 of 5,000 files  1.2 GiB of 3 GiB  112 MiB/s  16 s left` */
export function progressText(state: ProgressState, bytesPerSecond: number | undefined): string {
  return [state.label, ...figures(state, bytesPerSecond)].join('  ');
}

/** The same with a bar after the label, as wide as `width` allows. */
export function progressBarText(
  state: ProgressState,
  { bytesPerSecond, width }: { bytesPerSecond: number | undefined; width: number },
): string {
  const share = doneShare(state);
  if (share === null) return progressText(state, bytesPerSecond);
  const texts = [percent(share), ...figures(state, bytesPerSecond)].join('  ');
  const barWidth = Math.min(widestBar, width - [...state.label, ...texts].length - 3);
  if (barWidth < narrowestBar) return `${state.label}  ${texts}`;
  const full = Math.floor(share * barWidth);
  return `${state.label}  ${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${texts}`;
}

function figures(state: ProgressState, bytesPerSecond: number | undefined): string[] {
  const pieces: string[] = [];
  if (state.files > 0 || state.filesTotal !== null) {
    pieces.push(filesText(state));
  }
  if (state.bytes > 0 || state.bytesTotal !== null) {
    pieces.push(outOf(state.bytes, state.bytesTotal, formatBytes));
  }
  if (bytesPerSecond === undefined || bytesPerSecond < 1 || state.bytes === 0) return pieces;
  pieces.push(`${formatBytes(bytesPerSecond)}/s`);
  if (
    state.bytesTotal !== null &&
    state.bytesTotal > state.bytes &&
    state.bytes > state.bytesTotal * tellingShare
  ) {
    const secondsLeft = Math.ceil((state.bytesTotal - state.bytes) / bytesPerSecond);
    pieces.push(`${secondsLeft < 60 ? `${secondsLeft} s` : formatDuration(secondsLeft * 1000)} left`);
  }
  return pieces;
}

/** 100 % only when it is. */
function percent(share: number): string {
  return `${Math.floor(share * 100)}%`.padStart(4);
}

function filesText({ files, filesTotal, unit = 'file' }: ProgressState): string {
  if (filesTotal === null) return formatNumberOf(files, unit);
  return `${formatCount(files)} of ${formatNumberOf(filesTotal, unit)}`;
}

function outOf(count: number, total: number | null, format: (count: number) => string): string {
  return total === null ? format(count) : `${format(count)} of ${format(total)}`;
}
