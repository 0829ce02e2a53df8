/**
 * What this disk can do at most with one file: writes it in pieces of 1 MiB from memory.
 *
 *   node bench/floor/write-file.ts BYTES TARGET [--fsync]     prints {wallSeconds, cpuSeconds} as JSON
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { measure } from './measure.ts';

const [size = '0', target = '', option] = process.argv.slice(2);
const piece = randomBytes(1024 * 1024);

measure(() => {
  const file = openSync(target, 'wx');
  for (let left = Number(size); left > 0; left -= piece.length) {
    writeSync(file, piece, 0, Math.min(left, piece.length));
  }
  if (option === '--fsync') fsyncSync(file);
  closeSync(file);
});
