import { type ByteString, bytesToByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { archiveDamaged } from './archive-errors.ts';

/** Records of an extended header: keys with values, which are bytes. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

const space = 0x20;
const equals = 0x3d;
const newline = 0x0a;
const nanosecondDigits = 9;

/** Each is `LENGTH KEY=VALUE\n`, where the length counts its own digits. @throws HoldfastError `archive-damaged` */
export function readPaxRecords(content: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < content.length; ) {
    const keyStart = content.indexOf(space, at) + 1;
    const digits = keyStart === 0 ? '' : content.toString('latin1', at, keyStart - 1);
    const end = at + (/^\d{1,9}$/.test(digits) ? Number(digits) : 0);
    const valueStart = content.indexOf(equals, keyStart) + 1;
    const isWhole = end > keyStart && end <= content.length && content[end - 1] === newline;
    if (!isWhole || valueStart <= keyStart + 1 || valueStart >= end) {
      throw archiveDamaged('an extended header in it has a record that is none');
    }
    records.set(content.toString('latin1', keyStart, valueStart - 1), content.subarray(valueStart, end - 1));
    at = end;
  }
  return records;
}

/** Undefined where there is none, or an empty one, which means the same. */
export function paxText(records: PaxRecords, key: string): ByteString | undefined {
  const value = records.get(key);
  return value === undefined || value.length === 0 ? undefined : bytesToByteString(value);
}

/** @throws HoldfastError `archive-damaged` for what is no whole number */
export function paxCount(records: PaxRecords, key: string): number | undefined {
  const text = paxText(records, key);
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw archiveDamaged(`an extended header in it has a ${key} that is no number`);
}

/** Decimal seconds; those with a sign count back from zero. @throws HoldfastError `archive-damaged` */
export function paxTime(records: PaxRecords, key: string): FileTime | undefined {
  const text = paxText(records, key);
  if (text === undefined) return undefined;
  const parts = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (parts === null) throw archiveDamaged(`an extended header in it has a ${key} that is no time`);
  const [, sign, whole, fraction = ''] = parts;
  const nanoseconds = Number(fraction.slice(0, nanosecondDigits).padEnd(nanosecondDigits, '0'));
  const seconds = Number(whole);
  if (sign !== '-') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
