import { HoldfastError } from '@holdfast/base';

export type JsonObject = Readonly<Record<string, unknown>>;

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** UTF-8 JSON as Go's encoding/json writes it: compact, fields in the order given, HTML characters escaped. */
export function encodeJson(value: unknown): Buffer {
  const text = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? '');
  return Buffer.from(text);
}

/** @throws HoldfastError `repository-damaged` when it is not a JSON object; `what` names it in the message */
export function decodeJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw damaged(what, 'it is not JSON', error);
  }
  if (!isJsonObject(value)) throw damaged(what, 'it is not a JSON object');
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function damaged(what: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('repository-damaged', `The ${what} is damaged: ${reason}.`, {
    hint: 'Check the repository, and restore the file from another copy if there is one.',
    cause,
  });
}
