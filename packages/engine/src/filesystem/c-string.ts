import type { ByteString } from '../format/byte-string.ts';

/** The bytes as C takes them, with a zero at the end. A zero within them would cut them short: callers refuse those. */
export function cString(value: ByteString): Buffer {
  return Buffer.from(`${value}\0`, 'latin1');
}
