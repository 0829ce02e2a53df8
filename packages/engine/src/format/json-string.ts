import { type ByteString, isInvalidByte, isUtf8, toByteString, utf8Characters } from './byte-string.ts';
import { damaged } from './json.ts';

/**
 * A JSON string with its quotes as Go's encoding/json writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped,
 * a byte that is not UTF-8 as U+FFFD (escaped), everything else as it is.
 */
export function encodeJsonString(value: ByteString): string {
  if (needsNoEscape.test(value)) return `"${value}"`;
  if (isUtf8(value)) return `"${escapeText(value)}"`;
  let text = '';
  for (const character of utf8Characters(value)) {
    text += isInvalidByte(character) ? '\\ufffd' : escapeText(character);
  }
  return `"${text}"`;
}

/**
 * The inverse: takes what is between the quotes. Lone surrogates become U+FFFD, as in Go.
 * @throws HoldfastError `repository-damaged` for an escape that JSON does not have
 */
export function decodeJsonString(escaped: ByteString): ByteString {
  if (!escaped.includes('\\')) return escaped;
  return escaped.replace(escapeSequence, decodeEscape) as ByteString;
}

const needsNoEscape = /^[ !#-%'-;=?-[\]-\x7f]*$/;
const needsEscape = /["\\<>&]|[^ -\xff]|\xe2\x80[\xa8\xa9]/g;

const namedEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['\b', 'b'],
  ['\f', 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\t', 't'],
  ['\xe2\x80\xa8', 'u2028'],
  ['\xe2\x80\xa9', 'u2029'],
]);
const namedCharacters: ReadonlyMap<string, string> = new Map([
  ...[...namedEscapes].map(([character, name]): [string, string] => [name, character]),
  ['/', '/'],
]);

function escapeText(text: ByteString): string {
  return text.replace(needsEscape, (character) => {
    const named = namedEscapes.get(character);
    return `\\${named ?? `u${character.charCodeAt(0).toString(16).padStart(4, '0')}`}`;
  });
}

const escapeSequence =
  /\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(["\\/bfnrt]))?/g;

function decodeEscape(_sequence: string, ...groups: readonly (string | undefined)[]): string {
  const [high, low, unit, named] = groups;
  if (named !== undefined) return namedCharacters.get(named) ?? '';
  if (high !== undefined && low !== undefined) return toByteString(fromCodeUnits(high, low));
  if (unit === undefined) throw damaged('tree', 'a text in it has an escape that means nothing');
  return toByteString(fromCodeUnits(unit).toWellFormed());
}

function fromCodeUnits(...hexadecimal: readonly string[]): string {
  return String.fromCharCode(...hexadecimal.map((unit) => Number.parseInt(unit, 16)));
}
