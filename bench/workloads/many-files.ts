import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logLines, mixedBytes, RandomBytes } from './generated-bytes.ts';
import { letSignalsIn } from './let-signals-in.ts';
import type { WorkloadRecipe } from './workload.ts';

const filesPerFolder = 200;
const foldersPerFolder = 100;

/** Files of some hundred bytes each, 200 in a folder. */
export function manyFiles(count: number): WorkloadRecipe {
  return {
    name: `many-files-${count}`,
    async build(path, { scale, signal }) {
      const files = Math.floor(count * scale);
      const random = new RandomBytes('many files');
      let bytes = 0;
      let folder = path;
      for (let number = 0; number < files; number += 1) {
        if (number % filesPerFolder === 0) {
          await letSignalsIn(signal);
          folder = folderOf(path, number / filesPerFolder);
          mkdirSync(folder, { recursive: true });
        }
        const contents = logLines(random, 100 + random.integer(800));
        writeFileSync(join(folder, `file-${number}`), contents);
        bytes += contents.length;
      }
      return { files, bytes };
    },
  };
}

function folderOf(path: string, number: number): string {
  return join(path, `group-${Math.floor(number / foldersPerFolder)}`, `folder-${number}`);
}

const largeFileBytes = 64 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

/** 10 GiB in 160 files, half of it compressible. */
export const tenGibibytes: WorkloadRecipe = {
  name: 'ten-gibibytes',
  async build(path, { scale, signal }) {
    const files = Math.max(1, Math.round(160 * scale));
    const random = new RandomBytes('ten gibibytes');
    mkdirSync(path);
    for (let number = 0; number < files; number += 1) {
      await letSignalsIn(signal);
      const file = join(path, `file-${number}`);
      for (let bytes = 0; bytes < largeFileBytes; bytes += pieceBytes) {
        writeFileSync(file, mixedBytes(random, pieceBytes), { flag: 'a' });
      }
    }
    return { files, bytes: files * largeFileBytes };
  },
};
