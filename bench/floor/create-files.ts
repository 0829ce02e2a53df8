/**
 * What this file system can do at most with many files, one after another: makes the folders and files of a tree from
 * memory, with owner, mode and times, as `tar -x` does.
 *
 *   node bench/floor/create-files.ts SOURCE TARGET [--sync]      prints {wallSeconds, cpuSeconds} as JSON
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { measure } from './measure.ts';

interface Folder {
  readonly path: string;
  readonly status: Stats;
}

interface File extends Folder {
  readonly contents: Buffer;
}

const [source = '', target = '', option] = process.argv.slice(2);
const folders: Folder[] = [{ path: '', status: statSync(source) }];
const files: File[] = [];
for (const { path } of folders) {
  for (const name of readdirSync(join(source, path))) {
    const below = join(path, name);
    const status = statSync(join(source, below));
    if (status.isDirectory()) folders.push({ path: below, status });
    else files.push({ path: below, status, contents: readFileSync(join(source, below)) });
  }
}

measure(() => {
  for (const { path } of folders) mkdirSync(join(target, path));
  for (const file of files) create(file);
  for (const { path, status } of folders.toReversed()) finishFolder(join(target, path), status);
  if (option === '--sync') spawnSync('sync', ['--file-system', target]);
});

function create({ path, status, contents }: File): void {
  const file = openSync(join(target, path), 'wx', 0o600);
  if (contents.length > 0) writeSync(file, contents);
  fchownSync(file, status.uid, status.gid);
  fchmodSync(file, status.mode & 0o7777);
  futimesSync(file, status.atimeMs / 1000, status.mtimeMs / 1000);
  closeSync(file);
}

function finishFolder(path: string, { uid, gid, mode, atimeMs, mtimeMs }: Stats): void {
  chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}
