import type { ByteString } from '../format/byte-string.ts';
import { entryRefused } from './archive-errors.ts';

/** What Linux allows a name. */
const mostNameBytes = 255;
/** Four times what Linux lets a program open at once. */
const mostPathBytes = 16 * 1024;
/** In messages. */
const mostShownBytes = 1024;

/** The names on the way to an entry, from the top of the archive; none for the top itself. */
export type EntryPath = readonly ByteString[];

/** What a path is of, for messages. */
export interface PathSubject {
  readonly entry: ByteString;
  /** `its path` */
  readonly what: string;
}

/**
 * `./` at the beginning and a slash at the end mean nothing; the path `.` is the top of the archive.
 * @throws HoldfastError `archive-refused` for a path that would not stay where it is, or that nothing can have
 */
export function entryPathOf(path: ByteString, { entry, what }: PathSubject = pathOf(path)): EntryPath {
  if (path.length > mostPathBytes) throw entryRefused(entry, `${what} is too long`);
  if (path.startsWith('/')) throw entryRefused(entry, `${what} is absolute`);
  const relative = path.startsWith('./') ? path.slice(2) : path;
  if (relative === '.' || (relative === '' && path !== '')) return [];
  const names = (relative.endsWith('/') ? relative.slice(0, -1) : relative).split('/') as ByteString[];
  const reason = names.map(refusalOf).find((each) => each !== undefined);
  if (reason !== undefined) throw entryRefused(entry, `${what} ${reason}`);
  return names;
}

function pathOf(path: ByteString): PathSubject {
  return { entry: path.slice(0, mostShownBytes) as ByteString, what: 'its path' };
}

function refusalOf(name: ByteString): string | undefined {
  if (name === '') return 'has an empty name';
  if (name === '..') return 'climbs with ".."';
  if (name === '.') return 'has a name "."';
  if (name.includes('\0')) return 'has a zero byte';
  return name.length > mostNameBytes ? `has a name of more than ${mostNameBytes} bytes` : undefined;
}
