const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes in binary units: `0 B`, `1.5 KiB`, `312 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit] ?? 'B'}`;
}

/** `1,234` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 file`, `1,234 files` */
export function formatNumberOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min` */
export function formatDuration(durationMs: number): string {
  if (durationMs < 9_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** How long ago or ahead, at a glance: `5 min`, `3 h`, `12 days`; `1 min` for less. */
export function formatSpan(durationMs: number): string {
  const minutes = Math.max(1, Math.floor(durationMs / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : formatNumberOf(Math.floor(hours / 24), 'day');
}

/** Short times: `85 ms`, `1.24 s` */
export function formatMilliseconds(milliseconds: number): string {
  return milliseconds < 999.5 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Local time with its offset, to the second: `2026-11-21T03:17:02+01:00`. */
export function formatTime(timeMs: number): string {
  const date = new Date(timeMs);
  const offsetMinutes = -date.getTimezoneOffset();
  const local = new Date(timeMs + offsetMinutes * 60_000).toISOString().slice(0, 19);
  const sign = offsetMinutes < 0 ? '-' : '+';
  const offset = Math.abs(offsetMinutes);
  return `${local}${sign}${twoDigits(Math.floor(offset / 60))}:${twoDigits(offset % 60)}`;
}

/** Local time to the minute, for tables: `2026-11-21 03:17`. */
export function formatMinute(timeMs: number): string {
  return formatTime(timeMs).slice(0, 16).replace('T', ' ');
}

function twoDigits(value: number): string {
  return value.toString().padStart(2, '0');
}
