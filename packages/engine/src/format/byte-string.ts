import { isUtf8 as isUtf8Bytes } from 'node:buffer';

declare const brand: unique symbol;

/**
 * Bytes that the kernel gave and that need not be text: names, paths, link targets.
 * A string whose every character code is one byte (0 to 255), so that it compares and sorts by bytes (`<`),
 * is a key of Maps, and takes one byte of memory a character. Never show it: see `byteStringToText`.
 */
export type ByteString = string & { readonly [brand]: 'ByteString' };

/** A path as callers give it: a string is text (its UTF-8 bytes are meant), bytes are taken as they are. */
export type FilePath = string | Uint8Array;

export const emptyByteString = '' as ByteString;

const ascii = /^[\0-\x7f]*$/;

export function toByteString(path: FilePath): ByteString {
  if (typeof path === 'string' && ascii.test(path)) return path as ByteString;
  return bytesToByteString(typeof path === 'string' ? Buffer.from(path) : path);
}

export function bytesToByteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as ByteString;
}

export function byteStringToBytes(value: ByteString): Buffer {
  return Buffer.from(value, 'latin1');
}

/** For people: UTF-8 as text, control characters and bytes that are not UTF-8 as `\n`, `\x1b`, `\xff`. */
export function byteStringToText(value: ByteString): string {
  if (/^[ -[\]-~]*$/.test(value)) return value;
  let text = '';
  for (const character of utf8Characters(value)) {
    text += isShown(character) ? byteStringToBytes(character).toString() : escapeByte(character);
  }
  return text;
}

export function isUtf8(value: ByteString): boolean {
  return ascii.test(value) || isUtf8Bytes(byteStringToBytes(value));
}

/**
 * One item for each well-formed UTF-8 character, and one for each byte that is not part of any.
 * As in Go, surrogates and overlong forms are not well-formed.
 */
export function* utf8Characters(value: ByteString): Generator<ByteString, void> {
  for (const [character] of value.matchAll(utf8Character)) yield character as ByteString;
}

/** True for an item of `utf8Characters` that is a byte outside any character. */
export function isInvalidByte(character: ByteString): boolean {
  return character.length === 1 && character >= '\x80';
}

const utf8Character =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\s\S]/g;

function isShown(character: ByteString): boolean {
  return character.length > 1 || (character >= ' ' && character < '\x7f' && character !== '\\');
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
};

function escapeByte(byte: ByteString): string {
  return shortEscapes[byte] ?? `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
