import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteString, emptyByteString, toByteString } from '../format/byte-string.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { asId, idFromBytes } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { NodeEncoder } from '../format/node-encoder.ts';
import { decodeTree, encodeTree } from '../format/tree-codec.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type EncodedHead, ParentTree } from './parent-tree.ts';
import { PendingTree, type TreeEntry } from './pending-tree.ts';
import { TreeReadAhead } from './tree-read-ahead.ts';

const encoder = new NodeEncoder('utc');

function openTree(bytes: Uint8Array, onDamage: (error: unknown) => void = () => {}): ParentTree {
  const blobs = new MemoryBlobs();
  const treeId = blobs.addTree(bytes);
  return new ParentTree({ treeId, bytes, trees: new TreeReadAhead(blobs), onDamage });
}

function headOf(node: Node): EncodedHead {
  const written = new ByteWriter();
  encoder.writeHead(written, node);
  return { node, written };
}

/** As a backup meets an entry that is now `node`: written already, or to be written again. */
function entryFor(
  parent: ParentTree,
  node: Node,
  isKnown: (chunk: BlobId) => boolean = () => true,
): TreeEntry {
  const head = headOf(node);
  if (node.type === 'file') return parent.keepFile(head, (bytes) => isKnown(idFromBytes(bytes))) ?? node;
  if (node.type === 'dir') return parent.keepDirectory(head)?.encoded ?? node;
  return parent.keepOther(head) ?? node;
}

const byName = (a: Node, b: Node): number => (a.name < b.name ? -1 : 1);
const idOf = (digit: string): BlobId => asId<BlobId>(digit.repeat(64));
const missingChunk = idOf('0');
const someId = fc.constantFrom(...[...'123456789abcdef'].map(idOf));
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', 'c') }).map(toByteString),
  fc.uint8Array({ minLength: 1, maxLength: 4 }).map(toByteString),
  fc.constantFrom('"subtree":"', '],"content":', ',"', '}').map(toByteString),
);
const time = fc.record({ seconds: fc.integer({ min: -9e9, max: 9e9 }), nanoseconds: fc.nat(999_999_999) });

const file = { type: 'file' as const, subtree: undefined };
const arbitraryNode: fc.Arbitrary<Node> = fc
  .record({
    name,
    mode: fc.nat(0o777),
    modifiedAt: time,
    changedAt: time,
    uid: fc.nat(2),
    gid: fc.nat(2),
    inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    size: fc.nat(3),
    kind: fc.oneof(
      fc.array(someId, { maxLength: 3 }).map((content) => ({ ...file, content })),
      someId.map((subtree) => ({ type: 'dir' as const, content: null, subtree })),
      fc.constant({ type: 'symlink' as const, content: null, subtree: undefined }),
    ),
  })
  .map(({ kind, ...fields }) => ({
    ...fields,
    ...kind,
    accessedAt: fields.modifiedAt,
    user: emptyByteString,
    group: toByteString('staff'),
    deviceId: 65_024n,
    links: 1,
    linkTarget: kind.type === 'symlink' ? toByteString('../"target"') : emptyByteString,
    extendedAttributes: [],
    genericAttributes: undefined,
    device: 0n,
    error: emptyByteString,
  }));

const nodes = fc
  .uniqueArray(arbitraryNode, { selector: (node) => node.name, maxLength: 12 })
  .map((unsorted) => unsorted.toSorted(byName));

type Fate = 'same' | 'gone' | 'touched' | 'lost';
const fates = fc.array(fc.constantFrom<Fate>('same', 'same', 'same', 'gone', 'touched', 'lost'), {
  minLength: 12,
  maxLength: 12,
});

describe('ParentTree', () => {
  it('gives what did not change so that the tree has the bytes that writing all of it gives', async () => {
    await fc.assert(
      fc.asyncProperty(nodes, fates, nodes, fc.boolean(), async (before, fateOf, added, isReformatted) => {
        const parentNodes = before.map((node, at) => withLostChunk(node, fateOf[at]));
        const bytes = encodeTree({ nodes: parentNodes }, 'utc');
        const text = isReformatted ? reformatted(bytes) : bytes;
        const kept = before.flatMap((node, at) => stateOf(node, fateOf[at]));
        const names = new Set(kept.map((node) => node.name));
        const present = [...kept, ...added.filter((node) => !names.has(node.name))].toSorted(byName);
        const parent = openTree(text);
        const tree = new PendingTree(encoder);
        for (const node of present) tree.push(entryFor(parent, node, (chunk) => chunk !== missingChunk));
        const isWhole = tree.isWholeOf(parent);
        const written = await tree.finish();
        expect(written.toString()).toBe(encodeTree({ nodes: present }, 'utc').toString());
        if (isWhole) expect(written.equals(text)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is whole when nothing changed, however many nodes wait for others', async () => {
    await fc.assert(
      fc.asyncProperty(nodes, async (same) => {
        const bytes = encodeTree({ nodes: same }, 'utc');
        const parent = openTree(bytes);
        const tree = new PendingTree(encoder);
        for (const node of same) tree.push(entryFor(parent, node));
        expect(tree.isWholeOf(parent)).toBe(true);
        const late = openTree(bytes);
        const waiting = new PendingTree(encoder);
        for (const node of same) {
          const entry = entryFor(late, node);
          waiting.push(node.uid === 0 ? Promise.resolve(node) : entry);
        }
        expect((await waiting.finish()).equals(bytes)).toBe(true);
      }),
    );
  });

  it('tells what it has by a name that was not kept', () => {
    fc.assert(
      fc.property(nodes, fates, (before, fateOf) => {
        const parent = openTree(encodeTree({ nodes: before }, 'utc'));
        for (const [at, node] of before.entries()) {
          if (fateOf[at] === 'gone') continue;
          if (fateOf[at] === 'same') expect(entryFor(parent, node)).toHaveProperty('bytes');
          else expect(parent.find(node.name)).toEqual(node);
        }
        expect(parent.find(toByteString(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])))).toBeUndefined();
      }),
    );
  });

  it('finds names in ascending order, with gaps on either side', () => {
    const tree = openTree(plainTree(500));
    const find = (wanted: string): ByteString | undefined => tree.find(toByteString(wanted))?.name;
    expect(['a', 'n1000', 'n1000', 'n1000x', 'n1001', 'n1300', 'n1499', 'z'].map(find)).toEqual([
      undefined,
      'n1000',
      'n1000',
      undefined,
      'n1001',
      'n1300',
      'n1499',
      undefined,
    ]);
  });

  it('knows what came before the damage, and is never whole', () => {
    const errors: unknown[] = [];
    const bytes = plainTree(3);
    bytes.write('~', bytes.indexOf('"n1002"'));
    const tree = openTree(bytes, (error) => errors.push(error));
    expect(tree.find(toByteString('n1001'))).toBeDefined();
    expect(tree.find(toByteString('n1002'))).toBeUndefined();
    expect(tree.find(toByteString('n1003'))).toBeUndefined();
    expect(errors).toHaveLength(1);
    expect(new PendingTree(encoder).isWholeOf(tree)).toBe(false);
  });

  it('reads the trees of its directories ahead, each once, and lets go of those that are passed', async () => {
    const blobs = new MemoryBlobs();
    const subtrees = Array.from({ length: 40 }, (_, number) => blobs.addTree(plainTree(number)));
    const json = subtrees.map(
      (subtree, number) => `{"name":"d${100 + number}","type":"dir","content":null,"subtree":"${subtree}"}`,
    );
    const bytes = Buffer.from(`{"nodes":[${json.join(',')}]}\n`);
    const trees = new TreeReadAhead(blobs);
    const parent = new ParentTree({ treeId: blobs.addTree(bytes), bytes, trees, onDamage: () => {} });
    expect(blobs.reads.size).toBeGreaterThan(1);
    expect(blobs.reads.size).toBeLessThan(20);
    for (const [number, subtree] of subtrees.entries()) {
      if (number % 3 === 0) continue;
      expect(parent.find(toByteString(`d${100 + number}`))?.subtree).toBe(subtree);
      await trees.take(subtree);
    }
    expect(trees.bytesAhead).toBeGreaterThan(0);
    parent[Symbol.dispose]();
    expect([...blobs.reads.values()]).toEqual(subtrees.map(() => 1));
    expect(trees.bytesAhead).toBe(0);
  });
});

/** A file whose chunks are not all in the repository any more. */
function withLostChunk(node: Node, fate: Fate | undefined): Node {
  return fate === 'lost' && node.type === 'file' ? { ...node, content: [idOf('1'), missingChunk] } : node;
}

/** What is there now. */
function stateOf(node: Node, fate: Fate | undefined): Node[] {
  if (fate === 'gone') return [];
  if (fate !== 'touched') return [node];
  return [{ ...node, changedAt: { ...node.changedAt, seconds: node.changedAt.seconds + 1 } }];
}

/** The same tree, written as neither program writes it. */
function reformatted(bytes: Buffer): Buffer {
  const { nodes: decoded } = decodeTree(bytes);
  const written = decoded.map((node) =>
    encodeTree({ nodes: [node] }, 'utc')
      .toString('latin1')
      .slice(10, -3),
  );
  return Buffer.from(`{ "nodes": [${written.join(' , ')} ] }`, 'latin1');
}

function plainTree(count: number): Buffer {
  const json = Array.from({ length: count }, (_, number) => `{"name":"n${1000 + number}","type":"file"}`);
  return Buffer.from(`{"nodes":[${json.join(',')}]}\n`);
}
