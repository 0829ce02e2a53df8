/** A moment, and the offset from UTC of the clock that told it, as RFC 3339 writes it. */
export interface Timestamp {
  /** Nanoseconds since the Unix epoch; may be negative. */
  readonly epochNs: bigint;
  readonly offsetMinutes: number;
}

const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** undefined for anything but a date and time as Go's encoding/json writes it: years 0000 to 9999. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year ?? 0, (month ?? 0) - 1, day);
  date.setUTCHours(hour ?? 0, minute, second);
  if (!date.toISOString().startsWith(text.slice(0, 19))) return undefined;
  const offsetMinutes = (match[8] === '-' ? -1 : 1) * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0));
  const fractionNs = BigInt((match[7] ?? '').padEnd(9, '0'));
  const epochMs = BigInt(date.getTime() - offsetMinutes * 60_000);
  // `+ 0` turns the minus zero of "-00:00" into zero.
  return { epochNs: epochMs * 1_000_000n + fractionNs, offsetMinutes: offsetMinutes + 0 };
}

/** As Go's RFC3339Nano: fractions of a second without trailing zeros, `Z` for UTC. Years 0000 to 9999. */
export function formatTimestamp({ epochNs, offsetMinutes }: Timestamp): string {
  const fractionNs = BigInt.asUintN(64, ((epochNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  const localMs = Number((epochNs - fractionNs) / 1_000_000n) + offsetMinutes * 60_000;
  const dateTime = new Date(localMs).toISOString().slice(0, 19);
  const fraction = fractionNs === 0n ? '' : `.${String(fractionNs).padStart(9, '0').replace(/0+$/, '')}`;
  return `${dateTime}${fraction}${formatOffset(offsetMinutes)}`;
}

/** The moment with the offset that the machine's time zone has at it. */
export function localTimestamp(epochNs: bigint): Timestamp {
  const offsetMinutes = -new Date(Number(epochNs / 1_000_000n)).getTimezoneOffset();
  return { epochNs, offsetMinutes: offsetMinutes + 0 };
}

export function utcTimestamp(epochMs: number): Timestamp {
  return { epochNs: BigInt(Math.round(epochMs)) * 1_000_000n, offsetMinutes: 0 };
}

function formatOffset(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z';
  const minutes = Math.abs(offsetMinutes);
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}
