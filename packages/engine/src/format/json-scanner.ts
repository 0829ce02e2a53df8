import type { HoldfastError } from '@holdfast/base';
import { type ByteString, bytesToByteString } from './byte-string.ts';
import { damaged } from './json.ts';
import { decodeJsonString } from './json-string.ts';

const maxDepth = 64;

const character = {
  tab: 0x09,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  backslash: 0x5c,
} as const;

/**
 * Reads JSON value by value without building objects: numbers keep all their digits, strings keep bytes that are not
 * UTF-8, and memory does not grow with the input. Every method throws `repository-damaged` when something else than
 * it reads is next.
 */
export class JsonScanner {
  readonly #text: ByteString;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#text = bytesToByteString(bytes);
  }

  /** How many bytes were read; setting it goes on from there, which must be a place between two values. */
  get position(): number {
    return this.#at;
  }

  set position(position: number) {
    this.#at = position;
  }

  /** Reads `{`, then calls `field` for each key; it must read the value. */
  object(field: (key: ByteString) => void): void {
    this.#expect('{');
    if (this.#accept('}')) return;
    do {
      const key = this.string();
      this.#expect(':');
      field(key);
    } while (this.#accept(','));
    this.#expect('}');
  }

  /** Reads the start of an object whose first key is this one, up to its value. */
  beginObjectWith(key: string): void {
    this.#expect('{');
    if (this.string() !== key) throw this.#unexpected();
    this.#expect(':');
  }

  /** Reads `}`, and then nothing more may come. */
  endDocument(): void {
    this.#expect('}');
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw this.#unexpected();
  }

  /** Reads `[` or `null`: true if an item follows, which the caller must read. Then goes on with `nextItem`. */
  beginArray(): boolean {
    if (this.acceptNull()) return false;
    this.#expect('[');
    return !this.#accept(']');
  }

  /** After an item of an array: true if another follows. */
  nextItem(): boolean {
    if (this.#accept(',')) return true;
    this.#expect(']');
    return false;
  }

  string(): ByteString {
    this.#skipSpace();
    const start = this.#at + 1;
    if (this.#text.charCodeAt(this.#at) !== character.quote) throw this.#unexpected();
    for (let at = start; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === character.backslash) at += 1;
      else if (code < character.space) break;
      else if (code === character.quote) {
        this.#at = at + 1;
        return decodeJsonString(this.#text.slice(start, at) as ByteString);
      }
    }
    throw this.#unexpected();
  }

  /** A whole number from 0 to 2^64 - 1. */
  unsigned(): bigint {
    const value = BigInt(this.#digits());
    if (value >= 2n ** 64n) throw this.#unexpected();
    return value;
  }

  /** A whole number from 0 to `max`, which is at most 2^53 - 1. */
  count(max = Number.MAX_SAFE_INTEGER): number {
    const value = Number(this.#digits());
    if (value > max) throw this.#unexpected();
    return value;
  }

  acceptNull(): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith('null', this.#at)) return false;
    this.#at += 4;
    return true;
  }

  /** Reads any value and returns its text. */
  raw(): ByteString {
    this.#skipSpace();
    const start = this.#at;
    this.#skipValue(0);
    return this.#text.slice(start, this.#at) as ByteString;
  }

  #skipValue(depth: number): void {
    if (depth > maxDepth) throw this.#unexpected();
    this.#skipSpace();
    const next = this.#text.charAt(this.#at);
    if (next === '"') this.string();
    else if (next === '{') this.object(() => this.#skipValue(depth + 1));
    else if (next === '[') {
      for (let more = this.beginArray(); more; more = this.nextItem()) this.#skipValue(depth + 1);
    } else this.#skipLiteral();
  }

  #skipLiteral(): void {
    literal.lastIndex = this.#at;
    if (!literal.test(this.#text)) throw this.#unexpected();
    this.#at = literal.lastIndex;
  }

  #digits(): string {
    this.#skipSpace();
    const start = this.#at;
    let at = start;
    while (isDigit(this.#text.charCodeAt(at))) at += 1;
    if (at === start || at - start > 20) throw this.#unexpected();
    this.#at = at;
    return this.#text.slice(start, at);
  }

  #expect(token: string): void {
    if (!this.#accept(token)) throw this.#unexpected();
  }

  #accept(token: string): boolean {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== token.charCodeAt(0)) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    let code = this.#text.charCodeAt(this.#at);
    while (code <= character.space && (code === character.space || isLineSpace(code))) {
      this.#at += 1;
      code = this.#text.charCodeAt(this.#at);
    }
  }

  #unexpected(): HoldfastError {
    return damaged('tree', `it is not what a tree should be at byte ${this.#at}`);
  }
}

const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLineSpace(code: number): boolean {
  return code === character.tab || code === 0x0a || code === 0x0d;
}
