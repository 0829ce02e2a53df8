import { readFileSync } from 'node:fs';
import { type ByteString, emptyByteString } from '../format/byte-string.ts';

/** Names of owners and groups, empty where there is none. */
export interface AccountNames {
  userName(uid: number): ByteString;
  groupName(gid: number): ByteString;
}

/** For parts of environments: numbers mean the same on every host, names do not. */
export const noAccountNames: AccountNames = {
  userName: () => emptyByteString,
  groupName: () => emptyByteString,
};

/** As stock restic (a static program) finds them: `/etc/passwd` and `/etc/group`, read once, and nothing else. */
export function readAccountNames(passwdPath = '/etc/passwd', groupPath = '/etc/group'): AccountNames {
  const users = readNames(passwdPath, isUserLine);
  const groups = readNames(groupPath, isGroupLine);
  return {
    userName: (uid) => users.get(uid) ?? emptyByteString,
    groupName: (gid) => groups.get(gid) ?? emptyByteString,
  };
}

const integer = /^[+-]?\d+$/;

function isUserLine(fields: readonly string[]): boolean {
  return fields.length >= 6 && integer.test(fields[2] ?? '') && integer.test(fields[3] ?? '');
}

function isGroupLine(fields: readonly string[]): boolean {
  return fields.length >= 4 && integer.test(fields[2] ?? '');
}

/** The first line for a number wins. A machine without the file knows no names. */
function readNames(
  path: string,
  isComplete: (fields: readonly string[]) => boolean,
): Map<number, ByteString> {
  const names = new Map<number, ByteString>();
  for (const line of readLines(path)) {
    const fields = line.trim().split(':');
    const name = (fields[0] ?? '') as ByteString;
    if (name === '' || '#+-'.includes(name.charAt(0)) || !isComplete(fields)) continue;
    const id = Number(fields[2]);
    if (!names.has(id)) names.set(id, name);
  }
  return names;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n');
  } catch {
    return [];
  }
}
