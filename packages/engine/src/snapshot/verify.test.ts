import { expect, it } from 'vitest';
import { byteStringToText } from '../format/byte-string.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { verifyTree } from './verify.ts';
import { walkTree } from './walk.ts';

function sample() {
  const blobs = new MemoryBlobs();
  const chunk = blobs.add('data', Buffer.from('chunk')).id;
  const other = blobs.add('data', Buffer.from('other chunk')).id;
  const file = (name: string, size: number, ...content: BlobId[]): string =>
    `{"name":"${name}","type":"file","size":${size},"content":${JSON.stringify(content)}}`;
  const tree = (...nodes: string[]): TreeId => blobs.addTree(`{"nodes":[${nodes.join(',')}]}`);
  const dir = (name: string, subtree: TreeId): string =>
    `{"name":"${name}","type":"dir","subtree":"${subtree}"}`;
  const shared = tree(file('a', 5, chunk), file('b', 16, chunk, other));
  return { blobs, chunk, other, file, tree, dir, shared, top: tree(dir('one', shared), dir('two', shared)) };
}

it('reads every tree and chunk once', async () => {
  const { blobs, top } = sample();
  const reports: number[] = [];
  const progress = { report: ({ bytes }: { bytes: number }) => void reports.push(bytes) };
  expect(await verifyTree({ blobs, treeId: top, progress })).toEqual({ trees: 2, dataBlobs: 2, bytes: 16 });
  expect([...blobs.reads.values()]).toEqual([1, 1, 1, 1]);
  expect(reports.at(-1)).toBe(16);
});

type Sample = ReturnType<typeof sample>;

function spoiled(parts: Sample, how: 'damage' | 'remove', type: 'data' | 'tree', id: BlobId): TreeId {
  parts.blobs[how](type, id);
  return parts.top;
}

it.each<readonly [string, (parts: Sample) => TreeId]>([
  ['blob-damaged', (parts) => spoiled(parts, 'damage', 'data', parts.other)],
  ['blob-missing', (parts) => spoiled(parts, 'remove', 'data', parts.other)],
  ['blob-damaged', (parts) => spoiled(parts, 'damage', 'tree', parts.shared)],
  ['blob-missing', (parts) => spoiled(parts, 'remove', 'tree', parts.shared)],
  ['repository-damaged', ({ blobs }) => blobs.addTree('{"nodes":7}')],
  ['repository-damaged', ({ tree }) => tree('{"name":"a","type":"dir"}')],
  ['repository-damaged', ({ tree, file, chunk }) => tree(file('a', 4, chunk))],
  ['target-unsafe', ({ tree, file }) => tree(file('..', 0))],
])('finds %s', async (code, spoil) => {
  const parts = sample();
  const treeId = spoil(parts);
  await expect(verifyTree({ blobs: parts.blobs, treeId })).rejects.toMatchObject({ code });
});

it('ends when it is told to', async () => {
  const { blobs, top } = sample();
  const verifying = verifyTree({ blobs, treeId: top, signal: AbortSignal.abort() });
  await expect(verifying).rejects.toMatchObject({ code: 'interrupted' });
});

it('walks through all entries in order', async () => {
  const { blobs, top } = sample();
  const paths: string[] = [];
  for await (const { path } of walkTree({ blobs, treeId: top })) paths.push(byteStringToText(path));
  expect(paths).toEqual(['/one', '/one/a', '/one/b', '/two', '/two/a', '/two/b']);
});
