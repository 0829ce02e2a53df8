import { randomBytes } from 'node:crypto';
import type { ByteString } from '../format/byte-string.ts';

const temporaryName = /^\.holdfast-restore-[0-9a-f]{16}$/;

const drawnBytes = 5;
const countedDigits = 6;
const mostNames = 16 ** countedDigits;
let drawn = '';
let count = mostNames;

/** A new name beside the place: what is made there first replaces the entry at once, and wholly, by a rename. */
export function temporaryNameFor(): ByteString {
  // Drawn once for many: random bytes for each cost more than making the file.
  if (count === mostNames) {
    drawn = randomBytes(drawnBytes).toString('hex');
    count = 0;
  }
  const counted = count.toString(16).padStart(countedDigits, '0');
  count += 1;
  return `.holdfast-restore-${drawn}${counted}` as ByteString;
}

/** True for what a restore that was cut off may have left. */
export function isTemporaryName(name: ByteString): boolean {
  return temporaryName.test(name);
}
