/** A time as file systems keep it. Seconds since the Unix epoch may be negative; nanoseconds never are. */
export interface FileTime {
  readonly seconds: number;
  /** 0 to 999,999,999, counted forward from `seconds`. */
  readonly nanoseconds: number;
}

/** `utc` writes every time with `Z`, `local` with the offset that this machine's time zone had at that time. */
export type TimeZone = 'utc' | 'local';

export function sameTime(a: FileTime, b: FileTime): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}

export function isBefore(a: FileTime, b: FileTime): boolean {
  return a.seconds < b.seconds || (a.seconds === b.seconds && a.nanoseconds < b.nanoseconds);
}

/**
 * RFC 3339 as Go's encoding/json writes times: no trailing zeros in the fraction, years clamped to 0000 to 9999.
 * Time zones whose offset had seconds (before about 1930) are written with whole minutes and the right moment;
 * Go writes a wrong one.
 */
export function formatFileTime({ seconds, nanoseconds }: FileTime, zone: TimeZone): string {
  const { dateTime, offset } = formatSeconds(seconds, zone);
  return `${dateTime}${formatFraction(nanoseconds)}${offset}`;
}

/** A second of a `FileTime`, as the parts of its text that come before and after the fraction. */
export interface SecondText {
  readonly seconds: number;
  readonly dateTime: string;
  readonly offset: string;
}

export function formatSeconds(seconds: number, zone: TimeZone): SecondText {
  const offsetMinutes = zone === 'utc' ? 0 : localOffsetMinutes(seconds);
  const localSeconds = seconds + offsetMinutes * 60;
  const days = Math.floor(localSeconds / secondsPerDay);
  const second = localSeconds - days * secondsPerDay;
  const time = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
  return { seconds, dateTime: `${formatDate(days)}T${time}`, offset: formatOffset(offsetMinutes) };
}

/** undefined for anything but an RFC 3339 time. Digits beyond the nanosecond are dropped. */
export function parseFileTime(text: string): FileTime | undefined {
  const days = parseDate(text);
  const second = parseTimeOfDay(text);
  const rest = fractionAndOffset.exec(text.slice(19));
  if (rest === null || Number.isNaN(days + second) || text.charAt(10) !== 'T') return undefined;
  const offsetMinutes = Number(rest[3] ?? 0) * 60 + Number(rest[4] ?? 0);
  return {
    seconds: days * secondsPerDay + second + (rest[2] === '-' ? 60 : -60) * offsetMinutes,
    nanoseconds: rest[1] === undefined ? 0 : Number(rest[1].slice(0, 9).padEnd(9, '0')),
  };
}

const secondsPerDay = 86_400;
const fractionAndOffset = /^(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Days since the epoch, or NaN. */
function parseDate(text: string): number {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  if (text.charAt(4) !== '-' || text.charAt(7) !== '-' || !(month >= 1 && month <= 12 && day >= 1))
    return Number.NaN;
  const days = daysSinceEpoch(year, month, day);
  return days < daysSinceEpoch(year, month + 1, 1) ? days : Number.NaN;
}

/** Seconds since midnight, or NaN. */
function parseTimeOfDay(text: string): number {
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (text.charAt(13) !== ':' || text.charAt(16) !== ':') return Number.NaN;
  return hour < 24 && minute < 60 && second < 60 ? hour * 3600 + minute * 60 + second : Number.NaN;
}

/** NaN when they are not all digits. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Of the proleptic Gregorian calendar; month 13 is the next January. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years that begin in March have the leap day last: then the days before a month follow a linear rule.
  const marchYear = month > 2 ? year : year - 1;
  const monthsSinceMarch = (month + 9) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((monthsSinceMarch * 153 + 2) / 5) + day - 719_469;
}

const daysPerEra = 146_097;

function formatDate(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / daysPerEra);
  const dayOfEra = shifted - era * daysPerEra;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthsSinceMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthsSinceMarch + 2) / 5) + 1;
  const month = monthsSinceMarch < 10 ? monthsSinceMarch + 3 : monthsSinceMarch - 9;
  return clampedDate(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day);
}

function clampedDate(year: number, month: number, day: number): string {
  const clamped = Math.min(Math.max(year, 0), 9999);
  const isMovedLeapDay = clamped === 9999 && month === 2 && day === 29;
  const date = isMovedLeapDay ? '03-01' : `${two(month)}-${two(day)}`;
  return `${String(clamped).padStart(4, '0')}-${date}`;
}

function formatFraction(nanoseconds: number): string {
  if (nanoseconds === 0) return '';
  return `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
}

function formatOffset(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z';
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** 0 beyond the years that `Date` knows. */
function localOffsetMinutes(seconds: number): number {
  const offsetMinutes = -new Date(seconds * 1000).getTimezoneOffset();
  return Number.isNaN(offsetMinutes) ? 0 : Math.trunc(offsetMinutes);
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
