import {
  type ByteString,
  byteStringToBytes,
  isInvalidByte,
  isUtf8,
  toByteString,
  utf8Characters,
} from './byte-string.ts';
import { damaged } from './json.ts';
import { isPrintable } from './printable-characters.ts';

/**
 * Names in trees are quoted before they become JSON strings, as Go's `strconv.Quote` does, without its outer quotes:
 * a byte that is not UTF-8 as `\xff`, what is not printable as `\n`, `\x1b`, `\u200b` or `\U000e0001`.
 */
export function quoteName(name: ByteString): ByteString {
  if (plainName.test(name) || isPrintableText(name)) return name;
  let quoted = '';
  for (const character of utf8Characters(name)) quoted += quoteCharacter(character);
  return quoted as ByteString;
}

/** The inverse of `quoteName`. @throws HoldfastError `repository-damaged` for an escape that Go does not know */
export function unquoteName(quoted: ByteString): ByteString {
  if (!quoted.includes('\\')) return quoted;
  return quoted.replace(escapeSequence, unescapeOne) as ByteString;
}

/** Printable ASCII but for `"` and `\`. */
const plainName = /^[ !#-[\]-~]*$/;

const escapeSequence =
  /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\"]))?/g;

const namedEscapes: ReadonlyMap<string, string> = new Map([
  ['\x07', 'a'],
  ['\b', 'b'],
  ['\f', 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\t', 't'],
  ['\v', 'v'],
  ['\\', '\\'],
  ['"', '"'],
]);
const namedCharacters: ReadonlyMap<string, string> = new Map(
  [...namedEscapes].map(([from, to]) => [to, from]),
);

/** True if nothing in it needs an escape: the fast way for names in any script. */
function isPrintableText(name: ByteString): boolean {
  if (/["\\]/.test(name) || !isUtf8(name)) return false;
  for (const character of byteStringToBytes(name).toString()) {
    if (!isPrintable(character.codePointAt(0) ?? 0)) return false;
  }
  return true;
}

function quoteCharacter(character: ByteString): string {
  const named = namedEscapes.get(character);
  if (named !== undefined) return `\\${named}`;
  if (isInvalidByte(character)) return `\\x${hex(character.charCodeAt(0), 2)}`;
  const codePoint = byteStringToBytes(character).toString().codePointAt(0) ?? 0;
  if (isPrintable(codePoint)) return character;
  if (codePoint < 0x80) return `\\x${hex(codePoint, 2)}`;
  return codePoint < 0x10000 ? `\\u${hex(codePoint, 4)}` : `\\U${hex(codePoint, 8)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function unescapeOne(_sequence: string, ...groups: readonly (string | undefined)[]): string {
  const [byte, short, long, octal, named] = groups;
  if (byte !== undefined) return String.fromCharCode(Number.parseInt(byte, 16));
  if (named !== undefined) return namedCharacters.get(named) ?? '';
  if (octal !== undefined && octal < '400') return String.fromCharCode(Number.parseInt(octal, 8));
  const codePoint = Number.parseInt(short ?? long ?? '', 16);
  const isScalar = codePoint < 0xd800 || (codePoint > 0xdfff && codePoint <= 0x10ffff);
  if (!isScalar) throw damaged('tree', 'a name in it has an escape that means nothing');
  return toByteString(String.fromCodePoint(codePoint));
}
