import { HoldfastError } from '@holdfast/base';
import type { ByteString } from './byte-string.ts';
import { ByteWriter } from './byte-writer.ts';
import type { EncodedNode } from './encoded-node.ts';
import type { TimeZone } from './file-time.ts';
import type { Node, Tree } from './node.ts';
import { NodeEncoder } from './node-encoder.ts';
import { TreeCursor } from './tree-cursor.ts';

/**
 * Writes the plaintext of a tree blob node by node: byte-identical with restic 0.18's for equal nodes, so that both
 * programs find each other's trees.
 */
export class TreeEncoder {
  readonly #nodes: NodeEncoder;
  readonly #bytes = new ByteWriter();
  #lastName: ByteString | undefined;

  /** The encoder of nodes may serve any number of trees at a time. */
  constructor(nodes: NodeEncoder) {
    this.#nodes = nodes;
    this.#bytes.text('{"nodes":[');
  }

  /** Names have to come in strictly ascending order of their bytes. */
  add(node: Node): void {
    this.#begin(node.name, node.name);
    this.#nodes.write(this.#bytes, node);
  }

  /** The same of one or more nodes in a row that are written already. */
  addEncoded({ bytes, start, end, firstName, lastName }: EncodedNode): void {
    this.#begin(firstName, lastName);
    this.#bytes.bytes(bytes, start, end);
  }

  /** The whole plaintext. The encoder is used up. */
  finish(): Buffer {
    this.#bytes.text(']}\n');
    return this.#bytes.take();
  }

  #begin(firstName: ByteString, lastName: ByteString): void {
    if (this.#lastName !== undefined) {
      if (firstName <= this.#lastName) {
        throw new HoldfastError(
          'internal',
          'The nodes of a tree were not given in the order of their names.',
        );
      }
      this.#bytes.text(',');
    }
    this.#lastName = lastName;
  }
}

export function encodeTree(tree: Tree, zone: TimeZone): Buffer {
  const encoder = new TreeEncoder(new NodeEncoder(zone));
  for (const node of tree.nodes) encoder.add(node);
  return encoder.finish();
}

/** @throws HoldfastError `repository-damaged` for anything but a tree */
export function decodeTree(bytes: Uint8Array): Tree {
  return { nodes: [...decodeNodes(bytes)] };
}

/**
 * The nodes of a tree blob one by one: memory does not grow with their number. Names are strictly ascending.
 * @throws HoldfastError `repository-damaged`, possibly after some nodes were given
 */
export function* decodeNodes(bytes: Uint8Array): Generator<Node, void> {
  const cursor = new TreeCursor(bytes);
  for (let node = cursor.node; node !== undefined; node = cursor.node) {
    yield node;
    cursor.advance();
  }
}
