import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mixedBytes, RandomBytes } from './generated-bytes.ts';
import { letSignalsIn } from './let-signals-in.ts';
import type { WorkloadRecipe } from './workload.ts';

const fileBytes = 512 * 1024;
const filesPerFolder = 100;

/** What an app keeps: 10 GiB in 20,000 files of 512 KiB, half of it compressible; or a part of that. */
export function appFiles(count: number): WorkloadRecipe {
  return {
    name: `app-files-${count}`,
    async build(path, { scale, signal }) {
      const files = Math.floor(count * scale);
      const random = new RandomBytes('app files');
      let folder = path;
      for (let number = 0; number < files; number += 1) {
        if (number % filesPerFolder === 0) {
          await letSignalsIn(signal);
          folder = join(path, `folder-${number / filesPerFolder}`);
          mkdirSync(folder, { recursive: true });
        }
        writeFileSync(join(folder, `file-${number}`), mixedBytes(random, fileBytes));
      }
      return { files, bytes: files * fileBytes };
    },
  };
}
