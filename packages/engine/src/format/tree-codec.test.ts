import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToByteString, emptyByteString, toByteString } from './byte-string.ts';
import { asId } from './id-codec.ts';
import type { BlobId } from './ids.ts';
import type { Node } from './node.ts';
import { NodeEncoder } from './node-encoder.ts';
import { decodeNodes, decodeTree, encodeTree, TreeEncoder } from './tree-codec.ts';

const id = (digit: string): BlobId => asId<BlobId>(digit.repeat(64));

/** Nodes as restic 0.18 writes them. */
const goldenNodes: readonly string[] = [
  `{"name":"bytes-\\\\xff\\\\xfe","type":"file","mode":420,"mtime":"1969-12-31T23:59:59.999999999Z","atime":"1969-12-31T23:59:59.999999999Z","ctime":"2026-11-21T02:23:07.58513671Z","uid":1,"gid":2,"user":"daemon","group":"bin","inode":2162722,"device_id":65024,"size":12,"links":1,"extended_attributes":[{"name":"user.bytes","value":"AP8K"},{"name":"user.empty","value":""}],"content":["${id('a')}"]}`,
  `{"name":"dir \\u003c\\u0026\\u003e","type":"dir","mode":2147484141,"mtime":"2026-11-21T02:23:07Z","atime":"2026-11-21T02:23:07Z","ctime":"2026-11-21T02:23:07Z","uid":0,"gid":0,"inode":18446744073709551615,"device_id":65024,"content":null,"subtree":"${id('b')}"}`,
  `{"name":"empty","type":"file","mtime":"2026-11-21T02:23:07Z","atime":"2026-11-21T02:23:07Z","ctime":"2026-11-21T02:23:07Z","uid":4294967295,"gid":0,"inode":9007199254740993,"device_id":65024,"links":3,"content":[]}`,
  `{"name":"link","type":"symlink","mode":134218239,"mtime":"2026-11-21T02:23:07Z","atime":"2026-11-21T02:23:07Z","ctime":"2026-11-21T02:23:07Z","uid":0,"gid":0,"inode":7,"device_id":65024,"links":1,"linktarget":"/\\ufffd\\ufffda","linktarget_raw":"L//+YQ==","content":null}`,
  `{"name":"null","type":"chardev","mode":69206400,"mtime":"2026-11-21T02:23:07Z","atime":"2026-11-21T02:23:07Z","ctime":"2026-11-21T02:23:07Z","uid":0,"gid":0,"inode":8,"device_id":65024,"links":1,"device":259,"content":null}`,
  `{"name":"windows","type":"file","mode":438,"mtime":"2026-11-21T02:23:07Z","atime":"2026-11-21T02:23:07Z","ctime":"2026-11-21T02:23:07Z","uid":0,"gid":0,"generic_attributes":{"windows.creation_time":"AAA=","windows.file_attributes":32},"content":[],"error":"it was open"}`,
];
const goldenTree = `{"nodes":[${goldenNodes.join(',')}]}\n`;

describe('the tree codec', () => {
  it('reads what restic wrote and writes the same bytes', () => {
    const tree = decodeTree(Buffer.from(goldenTree));
    expect(encodeTree(tree, 'utc').toString()).toBe(goldenTree);
    expect(tree.nodes[1]?.inode).toBe(18446744073709551615n);
    expect(tree.nodes[3]?.linkTarget).toBe('/\xff\xfea');
  });

  it('writes an empty tree as restic does', () => {
    expect(encodeTree({ nodes: [] }, 'utc').toString()).toBe('{"nodes":[]}\n');
  });

  it('gives back every node', () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitraryNode, { selector: ({ name }) => name, maxLength: 5 }), (nodes) => {
        const sorted = nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        const decoded = decodeTree(encodeTree({ nodes: sorted }, 'utc'));
        expect(decoded.nodes).toEqual(sorted);
      }),
    );
  });

  it('writes large trees in pieces', () => {
    const encoder = new TreeEncoder(new NodeEncoder('utc'));
    const [node] = decodeTree(Buffer.from(goldenTree)).nodes;
    for (let number = 0; number < 9000; number += 1) {
      if (node) encoder.add({ ...node, name: toByteString(String(number).padStart(6, '0')) });
    }
    const bytes = encoder.finish();
    expect(bytes.length).toBeGreaterThan(3 << 20);
    expect(decodeTree(bytes).nodes).toHaveLength(9000);
  });

  it('does not write nodes out of order', () => {
    const encoder = new TreeEncoder(new NodeEncoder('utc'));
    const [first] = decodeTree(Buffer.from(goldenTree)).nodes;
    if (first) encoder.add(first);
    expect(() => first && encoder.add(first)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('reads white space, fields in any order, and skips those that it does not know', () => {
    const json = `{ "nodes" : [ { "future": {"a":[1,-2.5e3,true,null,"]"]}, "content" : null ,
      "linktarget_raw":"/w==", "linktarget":"x", "uid":1, "gid":2, "mode":null, "name":"a", "type":"symlink" } ] } `;
    const [node] = decodeTree(Buffer.from(json)).nodes;
    expect(node).toMatchObject({ name: 'a', type: 'symlink', uid: 1, gid: 2, mode: 0, linkTarget: '\xff' });
  });

  it('takes a kind of file that it does not know for irregular', () => {
    const [node] = decodeTree(Buffer.from('{"nodes":[{"name":"a","type":"hologram"}]}')).nodes;
    expect(node?.type).toBe('irregular');
  });
});

describe('garbage in the place of a tree', () => {
  it.each([
    ['nothing', ''],
    ['an array', '[]'],
    ['another object', '{"node":[]}'],
    ['a tree cut off', goldenTree.slice(0, 500)],
    ['something after it', `${goldenTree}{}`],
    ['names out of order', '{"nodes":[{"name":"b","type":"file"},{"name":"a","type":"file"}]}'],
    ['a name twice', '{"nodes":[{"name":"a","type":"file"},{"name":"a","type":"file"}]}'],
    ['an empty name', '{"nodes":[{"name":"","type":"file"}]}'],
    ['a negative size', '{"nodes":[{"name":"a","type":"file","size":-1}]}'],
    ['a size beyond all measure', '{"nodes":[{"name":"a","type":"file","size":9007199254740993}]}'],
    ['an inode beyond 64 bits', '{"nodes":[{"name":"a","type":"file","inode":18446744073709551616}]}'],
    ['a bad id', '{"nodes":[{"name":"a","type":"file","content":["../../etc/passwd"]}]}'],
    ['a bad time', '{"nodes":[{"name":"a","type":"file","mtime":"now"}]}'],
    ['bad base64', '{"nodes":[{"name":"a","type":"symlink","linktarget_raw":"*"}]}'],
    ['a field of another type', '{"nodes":[{"name":["a"],"type":"file"}]}'],
    ['bottomless nesting', `{"nodes":[{"name":"a","x":${'['.repeat(100_000)}`],
    ['bottomless objects', `{"nodes":[{"name":"a","x":${'{"y":'.repeat(100_000)}`],
  ])('is refused: %s', (_, json) => {
    expect(() => decodeTree(Buffer.from(json))).toThrow(
      expect.objectContaining({ code: 'repository-damaged' }),
    );
  });

  it('is refused with a coded error wherever bytes change', () => {
    const change = fc.record({
      at: fc.nat(goldenTree.length - 1),
      byte: fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c),
      ),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(goldenTree);
        for (const { at, byte } of changes) bytes[at] = byte;
        expectTreeOrCodedError(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('is refused with a coded error, whatever it is', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), expectTreeOrCodedError));
  });

  it('gives the nodes before the damage', () => {
    const nodes = decodeNodes(Buffer.from(goldenTree.slice(0, -20)));
    expect(nodes.next().value).toMatchObject({ type: 'file' });
    expect(() => [...nodes]).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
  });
});

function expectTreeOrCodedError(bytes: Uint8Array): void {
  try {
    decodeTree(bytes);
  } catch (error) {
    expect(error).toMatchObject({ code: 'repository-damaged' });
  }
}

const bytes = fc.uint8Array({ maxLength: 20 });
const byteString = bytes.map(bytesToByteString);
const text = fc.string({ unit: 'grapheme', maxLength: 10 }).map(toByteString);
const uint32 = fc.nat(0xffff_ffff);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const time = fc.record({
  seconds: fc.integer({ min: -62_000_000_000, max: 253_000_000_000 }),
  nanoseconds: fc.nat(999_999_999),
});
const anId = fc.constantFrom(id('0'), id('7'), id('f'));

const arbitraryNode: fc.Arbitrary<Node> = fc.record({
  name: byteString.filter((name) => name !== ''),
  type: fc.constantFrom('file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'),
  mode: uint32,
  modifiedAt: time,
  accessedAt: time,
  changedAt: time,
  uid: uint32,
  gid: uint32,
  user: text,
  group: text,
  inode: uint64,
  deviceId: uint64,
  size: fc.maxSafeNat(),
  links: fc.maxSafeNat(),
  linkTarget: byteString,
  extendedAttributes: fc.array(fc.record({ name: text, value: bytes.map((value) => Buffer.from(value)) }), {
    maxLength: 2,
  }),
  genericAttributes: fc.constantFrom(undefined, bytesToByteString(Buffer.from('{"a":1}'))),
  device: uint64,
  content: fc.option(fc.array(anId, { maxLength: 3 })),
  subtree: fc.option(anId, { nil: undefined }),
  error: fc.constantFrom(emptyByteString, toByteString('why')),
});
