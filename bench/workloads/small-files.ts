import { chmodSync, copyFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mixedBytes, RandomBytes } from './generated-bytes.ts';
import { letSignalsIn } from './let-signals-in.ts';
import { type MachineFile, machineFiles } from './machine-files.ts';
import type { WorkloadRecipe } from './workload.ts';

const allFiles = 50_000;
const allBytes = 580 * 1024 * 1024;
const copiedShare = 0.9;
const largestFile = 512 * 1024;
/** How far the bytes may be ahead of the files. */
const slackBytes = 2 * 1024 * 1024;
const roots = ['/usr/share', '/usr/include', '/usr/lib', '/usr/local', '/opt'];
const generatedAt = new Date('2026-01-01T00:00:00Z');

/** 50,000 files in 580 MiB: nine tenths are copies from this machine, the rest is generated. */
export const smallFiles: WorkloadRecipe = {
  name: 'small-files',
  async build(path, { scale, signal }) {
    const goal = { files: Math.floor(allFiles * scale), bytes: Math.floor(allBytes * scale) };
    mkdirSync(path);
    const copied = { files: 0, bytes: 0 };
    for (const file of inPace(machineFiles(roots), goal)) {
      await letSignalsIn(signal);
      if (copied.files >= goal.files * copiedShare) break;
      if (!copyOne(path, file)) continue;
      copied.files += 1;
      copied.bytes += file.bytes;
    }
    const missing = { files: goal.files - copied.files, bytes: Math.max(0, goal.bytes - copied.bytes) };
    const generatedBytes = generate(join(path, 'generated'), missing);
    return { files: goal.files, bytes: copied.bytes + generatedBytes, copied: copied.files };
  },
};

interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** Leaves out files that would take more than the share of all bytes that is due when they come. */
function* inPace(files: Iterable<MachineFile>, goal: Amount): IterableIterator<MachineFile> {
  const taken = { files: 0, bytes: 0 };
  for (const file of files) {
    const due = (goal.bytes * (taken.files + 1)) / goal.files + slackBytes;
    if (file.bytes > largestFile || taken.bytes + file.bytes > due) continue;
    taken.files += 1;
    taken.bytes += file.bytes;
    yield file;
  }
}

/** False for what this user may not read. */
function copyOne(folder: string, { path, mode, modifiedAt }: MachineFile): boolean {
  const copy = join(folder, path);
  mkdirSync(dirname(copy), { recursive: true });
  try {
    copyFileSync(path, copy);
  } catch {
    return false;
  }
  chmodSync(copy, mode);
  utimesSync(copy, modifiedAt, modifiedAt);
  return true;
}

/** Returns how many bytes the files have together. */
function generate(folder: string, missing: Amount): number {
  const random = new RandomBytes('small files');
  const mean = Math.ceil(missing.bytes / Math.max(1, missing.files));
  let bytes = 0;
  for (let number = 0; number < missing.files; number += 1) {
    const home = join(folder, `folder-${Math.floor(number / 100)}`);
    if (number % 100 === 0) mkdirSync(home, { recursive: true });
    const contents = mixedBytes(random, Math.floor(mean / 2) + random.integer(mean + 1));
    const path = join(home, `file-${number}`);
    writeFileSync(path, contents);
    utimesSync(path, generatedAt, generatedAt);
    bytes += contents.length;
  }
  return bytes;
}
