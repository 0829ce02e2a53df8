import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { NodeEncoder } from '../format/node-encoder.ts';
import { decodeTree } from '../format/tree-codec.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { PendingTree } from './pending-tree.ts';
import { TreeReadAhead } from './tree-read-ahead.ts';

function nodes(count: number): Node[] {
  const json = Array.from({ length: count }, (_, number) => `{"name":"n${1000 + number}","type":"file"}`);
  return [...decodeTree(Buffer.from(`{"nodes":[${json.join(',')}]}`)).nodes];
}

describe('TreeReadAhead', () => {
  it('reads what is wanted once, before it is taken', async () => {
    const blobs = new MemoryBlobs();
    const treeId = blobs.addTree('{"nodes":[{"name":"a","type":"file"}]}');
    const trees = new TreeReadAhead(blobs);
    trees.want(treeId);
    trees.want(treeId);
    await setImmediate();
    expect(blobs.reads.get(treeId)).toBe(1);
    expect([...(await trees.take(treeId))]).toHaveLength(1);
    expect(blobs.reads.get(treeId)).toBe(1);
    expect([...(await trees.take(treeId))]).toHaveLength(1);
    expect(blobs.reads.get(treeId)).toBe(2);
  });

  it('reads no more ahead than fits, and more again when some was taken or dropped', async () => {
    const blobs = new MemoryBlobs();
    const large = (fill: string): TreeId => blobs.addTree(`{"nodes":[]}${fill.repeat(5 * 1024 * 1024)}`);
    const [first, second] = [large(' '), large('\n')];
    const trees = new TreeReadAhead(blobs);
    trees.want(first);
    trees.want(second);
    expect([...blobs.reads.keys()]).toEqual([first]);
    trees.drop(first);
    trees.want(second);
    expect([...blobs.reads.keys()]).toEqual([first, second]);
  });

  it('gives a failure to who takes the tree', async () => {
    const blobs = new MemoryBlobs();
    const treeId = blobs.addTree('{"nodes":[]}');
    blobs.damage('tree', treeId);
    const trees = new TreeReadAhead(blobs);
    trees.want(treeId);
    await setImmediate();
    await expect(trees.take(treeId)).rejects.toMatchObject({ code: 'blob-damaged' });
  });
});

describe('PendingTree', () => {
  it('keeps the order of names, whichever node is ready first', async () => {
    const tree = new PendingTree(new NodeEncoder('utc'));
    const [a, b, c, d] = nodes(4);
    if (!a || !b || !c || !d) throw new Error('four nodes');
    const { promise, resolve } = Promise.withResolvers<Node>();
    tree.push(a);
    tree.push(promise);
    tree.push(c);
    tree.push(Promise.resolve(undefined));
    tree.push(d);
    resolve(b);
    const { nodes: written } = decodeTree(await tree.finish());
    expect(written.map(({ name }) => name)).toEqual([a.name, b.name, c.name, d.name]);
  });

  it('rejects as a node does', async () => {
    const tree = new PendingTree(new NodeEncoder('utc'));
    tree.push(Promise.reject(new Error('why')));
    tree.push(nodes(1)[0] ?? Promise.resolve(undefined));
    await expect(tree.finish()).rejects.toThrow('why');
  });
});
