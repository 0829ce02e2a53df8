import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { SeededRandom } from './seeded-random.ts';
import { testBytes } from './test-bytes.ts';

const names = ['a', 'b', 'c', 'ü "1"\n'];
const mostDepth = 3;

/** Makes some random changes beneath a directory, of few names, so that the changes of several calls meet. */
export function changeRandomly(path: string, random: SeededRandom, changes: number): void {
  for (let change = 0; change < changes; change += 1) {
    const depth = 1 + random.integer(mostDepth);
    const entry = join(
      path,
      ...Array.from({ length: depth }, () => names[random.integer(names.length)] ?? 'a'),
    );
    if (!isBelowDirectories(path, dirname(entry))) continue;
    changeEntry(path, entry, random);
    setTimes(entry, random);
  }
}

function changeEntry(top: string, path: string, random: SeededRandom): void {
  switch (random.integer(8)) {
    case 0:
      rmSync(path, { recursive: true, force: true });
      return;
    case 1:
    case 2:
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      writeFileSync(join(path, 'inside'), `${random.integer(3)}`);
      return;
    case 3:
      rmSync(path, { recursive: true, force: true });
      symlinkSync(`target ${random.integer(2)}`, path);
      return;
    case 4: {
      const other = filesBeneath(top)[random.integer(4)];
      if (other === undefined || other.startsWith(`${path}/`) || other === path) return;
      rmSync(path, { recursive: true, force: true });
      linkSync(other, path);
      return;
    }
    case 5:
      if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === false)
        chmodSync(path, 0o700 + random.integer(64));
      return;
    default:
      rmSync(path, { recursive: true, force: true });
      writeFileSync(
        path,
        testBytes(`${random.integer(3)}`, [0, 10, 1000, 3_000_000][random.integer(4)] ?? 0),
      );
  }
}

/** Of few values, so that what differs has equal times now and then. */
function setTimes(path: string, random: SeededRandom): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  const time = 1_600_000_000 + random.integer(3) * 1000 + random.integer(2) / 4;
  lutimesSync(path, time, time);
}

function isBelowDirectories(top: string, path: string): boolean {
  if (path === top) return true;
  if (!isBelowDirectories(top, dirname(path))) return false;
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Without what is hidden. */
function filesBeneath(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((entry) => !entry.includes('/.'))
    .sort();
}

/** All of it, with hard links and times to the nanosecond. */
export function copyTree(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}
