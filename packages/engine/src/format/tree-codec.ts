import { HoldfastError } from '@holdfast/base';
import { type ByteString, emptyByteString } from './byte-string.ts';
import type { TimeZone } from './file-time.ts';
import { damaged } from './json.ts';
import { JsonScanner } from './json-scanner.ts';
import type { Node, Tree } from './node.ts';
import { decodeNode } from './node-decoder.ts';
import { encodeNode } from './node-encoder.ts';

/** Text is turned into bytes in pieces of about this length, so that a large tree is held once, not twice. */
const pieceLength = 1 << 20;

/**
 * Writes the plaintext of a tree blob node by node: byte-identical with restic 0.18's for equal nodes, so that both
 * programs find each other's trees.
 */
export class TreeEncoder {
  readonly #zone: TimeZone;
  readonly #pieces: Buffer[] = [];
  #text = '{"nodes":[';
  #lastName: ByteString | undefined;

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  /** Names have to come in strictly ascending order of their bytes. */
  add(node: Node): void {
    if (this.#lastName !== undefined && node.name <= this.#lastName) {
      throw new HoldfastError('internal', 'The nodes of a tree were not given in the order of their names.');
    }
    this.#text += `${this.#lastName === undefined ? '' : ','}${encodeNode(node, this.#zone)}`;
    this.#lastName = node.name;
    if (this.#text.length >= pieceLength) this.#cut();
  }

  /** The whole plaintext. The encoder is used up. */
  finish(): Buffer {
    this.#text += ']}\n';
    this.#cut();
    return this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
  }

  #cut(): void {
    this.#pieces.push(Buffer.from(this.#text, 'latin1'));
    this.#text = '';
  }
}

export function encodeTree(tree: Tree, zone: TimeZone): Buffer {
  const encoder = new TreeEncoder(zone);
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
  const scanner = new JsonScanner(bytes);
  scanner.beginObjectWith('nodes');
  let lastName = emptyByteString;
  for (let more = scanner.beginArray(); more; more = scanner.nextItem()) {
    const node = decodeNode(scanner);
    if (node.name <= lastName) throw damaged('tree', 'its names are not in ascending order');
    lastName = node.name;
    yield node;
  }
  scanner.endDocument();
}
