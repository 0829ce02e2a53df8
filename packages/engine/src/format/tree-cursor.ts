import { type ByteString, emptyByteString } from './byte-string.ts';
import type { EncodedNode } from './encoded-node.ts';
import { damaged } from './json.ts';
import { JsonScanner } from './json-scanner.ts';
import type { Node } from './node.ts';
import { decodeNode } from './node-decoder.ts';

/** How a tree begins and ends that restic or Holdfast wrote. */
const usualStart = Buffer.from('{"nodes":[');
const usualEnd = Buffer.from(']}\n');
const openBrace = 0x7b;
const comma = 0x2c;

/**
 * Goes through a tree blob node by node. Only nodes that are asked for are decoded; one that is known by its bytes
 * can be passed without. Memory does not grow with the number of nodes.
 */
export class TreeCursor {
  readonly bytes: Buffer;
  #scanner: JsonScanner | undefined;
  /** Where the current node begins; -1 behind the last one. */
  #start: number;
  /** Where the current node ends, once it is decoded. */
  #end = -1;
  #node: Node | undefined;
  #lastName: ByteString = emptyByteString;

  /** @throws HoldfastError `repository-damaged`, as every method does */
  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isUsual = this.#isUsualStart() && this.bytes[usualStart.length] === openBrace;
    this.#start = isUsual ? usualStart.length : this.#findFirst();
  }

  /** Where the current node begins in `bytes`; -1 behind the last one. */
  get start(): number {
    return this.#start;
  }

  /** The current node; undefined behind the last one. */
  get node(): Node | undefined {
    if (this.#node !== undefined || this.#start === -1) return this.#node;
    const scanner = this.#scannerAt(this.#start);
    const node = decodeNode(scanner);
    if (node.name <= this.#lastName) throw damaged('tree', 'its names are not in ascending order');
    this.#lastName = node.name;
    this.#end = scanner.position;
    this.#node = node;
    return node;
  }

  /** Goes to the next node. */
  advance(): void {
    if (this.node !== undefined) this.advanceFrom(this.#end);
  }

  /** The same by who knows, without decoding it, where the current node ends. */
  advanceFrom(end: number): void {
    this.#node = undefined;
    if (this.bytes[end] === comma && this.bytes[end + 1] === openBrace) this.#start = end + 1;
    else this.#start = this.#isUsualEnd(end) ? -1 : this.#findNext(end);
  }

  /**
   * True if these nodes (of `bytes`; `undefined` for none) are all that the tree has, and it begins and ends as
   * `TreeEncoder` writes it: then a tree of the same nodes has the same bytes.
   */
  isWhole(nodes: EncodedNode | undefined): boolean {
    const { bytes } = this;
    if (nodes !== undefined && nodes.bytes !== bytes) return false;
    const { start, end } = nodes ?? { start: usualStart.length, end: usualStart.length };
    return start === usualStart.length && this.#isUsualStart() && this.#isUsualEnd(end);
  }

  #isUsualStart(): boolean {
    const { length } = usualStart;
    return this.bytes.length >= length && this.bytes.compare(usualStart, 0, length, 0, length) === 0;
  }

  #isUsualEnd(end: number): boolean {
    const { length } = usualEnd;
    return end === this.bytes.length - length && this.bytes.compare(usualEnd, 0, length, end) === 0;
  }

  #findFirst(): number {
    const scanner = this.#scannerAt(0);
    scanner.beginObjectWith('nodes');
    return this.#startOrEnd(scanner, scanner.beginArray());
  }

  #findNext(end: number): number {
    const scanner = this.#scannerAt(end);
    return this.#startOrEnd(scanner, scanner.nextItem());
  }

  #startOrEnd(scanner: JsonScanner, more: boolean): number {
    if (more) return scanner.position;
    scanner.endDocument();
    return -1;
  }

  #scannerAt(position: number): JsonScanner {
    this.#scanner ??= new JsonScanner(this.bytes);
    this.#scanner.position = position;
    return this.#scanner;
  }
}
