/**
 * Runs in a container: `changing-files FOLDER EVERY_NTH PAUSE_MS` writes some bytes into each n-th file below the folder,
 * all of them once, then again after a pause, for ever. Whatever looks at two moments that are further apart than
 * one such turn takes finds exactly these files changed.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const pieceBytes = 16 * 1024;
const [folder = '', everyNth = '', pauseMs = ''] = process.argv.slice(2);

process.on('SIGTERM', () => process.exit());

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .sort()
  .filter((_, position) => position % Number(everyNth) === 0);
process.stdout.write(`changing ${files.length} files\n`);

for (;;) {
  for (const file of files) change(file);
  await delay(Number(pauseMs));
}

function change(path: string): void {
  const file = openSync(path, 'r+');
  const { size } = fstatSync(file);
  const length = Math.min(pieceBytes, size);
  writeSync(file, randomBytes(length), 0, length, Math.floor(Math.random() * (size - length + 1)));
  closeSync(file);
}
