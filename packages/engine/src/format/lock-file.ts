import { FieldReader } from './field-reader.ts';
import { damaged, decodeJsonObject, encodeJson } from './json.ts';
import { formatTimestamp, parseTimestamp, type Timestamp } from './timestamp.ts';

/** A file in `locks/`. */
export interface LockFile {
  readonly time: Timestamp;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export function encodeLockFile(lock: LockFile): Buffer {
  return encodeJson({
    time: formatTimestamp(lock.time),
    exclusive: lock.exclusive,
    hostname: lock.hostname,
    username: lock.username,
    pid: lock.pid,
    ...(lock.uid === 0 ? {} : { uid: lock.uid }),
    ...(lock.gid === 0 ? {} : { gid: lock.gid }),
  });
}

/** @throws HoldfastError `repository-damaged` */
export function decodeLockFile(bytes: Uint8Array): LockFile {
  const fields = new FieldReader({ uid: 0, gid: 0, ...decodeJsonObject(bytes, 'lock') }, 'lock');
  const time = parseTimestamp(fields.string('time'));
  if (time === undefined) throw damaged('lock', 'its time is not a time');
  return {
    time,
    exclusive: fields.boolean('exclusive'),
    hostname: fields.string('hostname'),
    username: fields.string('username'),
    pid: fields.count('pid'),
    uid: fields.count('uid'),
    gid: fields.count('gid'),
  };
}
