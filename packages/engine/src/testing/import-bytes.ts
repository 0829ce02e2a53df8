import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ArchiveLimits } from '../archive/archive-limits.ts';
import { defaultArchiveLimits } from '../archive/archive-limits.ts';
import { importArchive } from '../archive/import-archive.ts';
import type { ImportedArchive } from '../archive/import-request.ts';
import { ChunkWindows } from '../chunker/chunk-windows.ts';
import { parsePolynomial } from '../chunker/polynomial.ts';
import { byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { walkTree } from '../snapshot/walk.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const testPolynomial = parsePolynomial('3DA3358B4DC173');
const windows = new ChunkWindows(testPolynomial);

export interface ImportedBytes extends AsyncDisposable {
  readonly blobs: MemoryBlobs;
  readonly archive: ImportedArchive;
  /** Every node beneath the top, by its path in the archive. */
  nodes(): Promise<Map<string, Node>>;
}

/** Imports an archive out of memory into memory. */
export async function importBytes(
  bytes: Buffer,
  limits: Partial<ArchiveLimits> = {},
): Promise<ImportedBytes> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await temporaryDirectory());
  const path = join(directory, 'archive');
  writeFileSync(path, bytes);
  const blobs = new MemoryBlobs();
  const request = { path, writer: blobs, polynomial: testPolynomial, windows, directory };
  const archive = stack.use(
    await importArchive({ ...request, limits: { ...defaultArchiveLimits, ...limits } }),
  );
  const rest = stack.move();
  return {
    blobs,
    archive,
    nodes: async () => await nodesOf(blobs, (await archive.saveTree('')).treeId),
    [Symbol.asyncDispose]: async () => await rest.disposeAsync(),
  };
}

/** Every node beneath `data`, by its path from there. */
export async function nodesOf(blobs: MemoryBlobs, treeId: TreeId): Promise<Map<string, Node>> {
  const nodes = new Map<string, Node>();
  for await (const { path, node } of walkTree({ blobs, treeId })) {
    nodes.set(byteStringToText(path).replace(/^\/data\/?/, ''), node);
  }
  return nodes;
}
