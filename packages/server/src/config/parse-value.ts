import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';

/** What a text means, or why it means nothing, as the end of a sentence that begins with the key's name. */
export type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** @param folder what relative paths start from */
export type ParseValue<T> = (text: string, folder: string) => Parsed<T>;

export interface ListenAddress {
  readonly host: string;
  /** 0: any port that is free. */
  readonly port: number;
}

export const parsePath: ParseValue<string> = (text, folder) =>
  text.includes('\0')
    ? { problem: 'has to be a path' }
    : { value: isAbsolute(text) ? resolve(text) : resolve(folder, text) };

const address = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>[0-9]{1,5})$/;

export const parseListen: ParseValue<ListenAddress> = (text) => {
  const parts = address.exec(text)?.groups;
  const host = parts?.v6 ?? parts?.host;
  const port = Number(parts?.port);
  if (host === undefined || port > 65_535) {
    return { problem: 'has to be HOST:PORT, such as 127.0.0.1:8420 or [::1]:8420' };
  }
  return { value: { host, port } };
};

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration between two others, in milliseconds. */
export function parseDuration(leastMs: number, mostMs: number): ParseValue<number> {
  return (text) => {
    const parts = /^(?<count>[0-9]{1,12})(?<unit>ms|s|m|h|d)$/.exec(text)?.groups;
    const durationMs = Number(parts?.count) * (unitMs[parts?.unit ?? ''] ?? Number.NaN);
    return durationMs >= leastMs && durationMs <= mostMs
      ? { value: durationMs }
      : { problem: `has to be a duration such as 90s or 10m, from ${leastMs / 1000}s to ${mostMs / 1000}s` };
  };
}

export function parseInteger(least: number, most: number): ParseValue<number> {
  return (text) => {
    const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most
      ? { value: number }
      : { problem: `has to be a whole number from ${least} to ${most}` };
  };
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** A size in bytes, from 1 on. */
export const parseBytes: ParseValue<number> = (text) => {
  const parts = /^(?<count>[1-9][0-9]{0,14})(?<unit>[KMGT]?)$/.exec(text)?.groups;
  const bytes = Number(parts?.count) * (byteUnits[parts?.unit ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? { value: bytes } : { problem: 'has to be a size such as 500M or 2T' };
};

/** Ranges in CIDR notation with commas between; may be none. */
export const parseAddressRanges: ParseValue<readonly string[]> = (text) => {
  const ranges = text.split(',').map((range) => range.trim());
  const value = ranges.filter((range) => range !== '');
  return value.every(isAddressRange)
    ? { value }
    : { problem: 'has to be address ranges with commas between, such as 10.1.2.0/24,fd00::/64' };
};

function isAddressRange(text: string): boolean {
  const { address = '', bits = '' } =
    /^(?<address>[0-9A-Fa-f.:]+)\/(?<bits>[0-9]{1,3})$/.exec(text)?.groups ?? {};
  const kind = isIP(address);
  return kind !== 0 && bits !== '' && Number(bits) <= (kind === 4 ? 32 : 128);
}

export function parseChoice<const Choice extends string>(choices: readonly Choice[]): ParseValue<Choice> {
  return (text) => {
    const value = choices.find((choice) => choice === text);
    return value === undefined ? { problem: `has to be one of ${choices.join(', ')}` } : { value };
  };
}

/** As the tz database has it. */
export const parseTimeZone: ParseValue<string> = (text) => {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions();
    if (!/^[+-]/.test(timeZone)) return { value: timeZone };
  } catch {
    // Told below.
  }
  return { problem: 'has to be a time zone such as Europe/Berlin or UTC' };
};

export const parseDockerHost: ParseValue<string> = (text) =>
  /^unix:\/\/\/./.test(text) ? { value: text } : { problem: 'has to be unix:///PATH' };

export const parseImage: ParseValue<string> = (text) =>
  /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,255}$/.test(text) ? { value: text } : { problem: 'has to name an image' };

export const parseCatalogUrl: ParseValue<string> = (text) => {
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  return protocol === 'postgres:' || protocol === 'postgresql:'
    ? { value: text }
    : { problem: 'has to be postgres://USER:PASSWORD@HOST:PORT/DATABASE' };
};
