import { type ByteString, byteStringToBytes, bytesToByteString } from '../format/byte-string.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { idFromBytes } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { NodeEncoder } from '../format/node-encoder.ts';
import { decodeNodes } from '../format/tree-codec.ts';
import { archiveDamaged } from './archive-errors.ts';
import type { SpoolFile } from './spool-file.ts';

const lengthBytes = 4;
const digestBytes = 32;
const mostNameBytes = 255;
const noDigest = Buffer.alloc(digestBytes);

/** Nodes and names in a file: what memory keeps of them is where they are. */
export class NodeSpool {
  readonly #spool: SpoolFile;
  readonly #nodes = new NodeEncoder('utc');
  readonly #tree = new ByteWriter();

  constructor(spool: SpoolFile) {
    this.#spool = spool;
  }

  addName(name: ByteString): number {
    const bytes = byteStringToBytes(name);
    return this.#spool.append(Buffer.concat([Buffer.of(bytes.length), bytes]));
  }

  nameAt(offset: number): ByteString {
    const bytes = Buffer.allocUnsafe(1 + mostNameBytes);
    const length = this.#spool.read(bytes, offset);
    return bytesToByteString(bytes.subarray(1, Math.min(length, 1 + (bytes[0] ?? 0))));
  }

  /** `digest`: SHA-256 of the content, in hexadecimal; undefined for what has none. */
  addNode(node: Node, digest: string | undefined): number {
    this.#tree.clear();
    this.#tree.text('{"nodes":[');
    this.#nodes.write(this.#tree, { ...node, name: '-' as ByteString });
    this.#tree.text(']}\n');
    const tree = this.#tree.written;
    const head = Buffer.alloc(lengthBytes + digestBytes);
    head.writeUInt32LE(tree.length);
    head.set(digest === undefined ? noDigest : Buffer.from(digest, 'hex'), lengthBytes);
    const offset = this.#spool.append(head);
    this.#spool.append(tree);
    return offset;
  }

  nodeAt(offset: number): Node {
    const head = this.#headAt(offset);
    const tree = Buffer.allocUnsafe(head.readUInt32LE(0));
    this.#spool.read(tree, offset + head.length);
    const [node] = decodeNodes(tree);
    if (node === undefined) throw archiveDamaged('what was read of it is no longer there');
    return node;
  }

  digestAt(offset: number): string {
    return idFromBytes<BlobId>(this.#headAt(offset), lengthBytes);
  }

  #headAt(offset: number): Buffer {
    const head = Buffer.alloc(lengthBytes + digestBytes);
    this.#spool.read(head, offset);
    return head;
  }
}
