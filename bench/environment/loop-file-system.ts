import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mustRun } from '../../e2e/support/process.ts';

export type FileSystem = 'xfs' | 'btrfs' | 'ext4';

/** A file system in a file. */
export interface LoopFileSystem extends AsyncDisposable {
  readonly path: string;
}

/** Needs root, and what makes the file system: xfsprogs, btrfs-progs or e2fsprogs. `path` has to be free. */
export async function mountLoop(
  kind: FileSystem,
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
): Promise<LoopFileSystem> {
  await using stack = new AsyncDisposableStack();
  const image = `${path}.image`;
  const home = `${path}.mounted`;
  stack.defer(() => rmSync(image, { force: true }));
  writeFileSync(image, '');
  truncateSync(image, sizeBytes);
  await mustRun(`mkfs.${kind}`, ['-q', image]);
  mkdirSync(home, { recursive: true });
  await mustRun('mount', ['-o', 'loop', image, home]);
  stack.defer(async () => {
    await mustRun('umount', [home]);
    rmSync(home, { recursive: true });
  });
  const made = stack.move();
  return { path: home, [Symbol.asyncDispose]: async () => await made.disposeAsync() };
}
