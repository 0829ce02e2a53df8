import { readFile } from 'node:fs/promises';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { parse } from 'yaml';
import { configKeyNames } from './config-keys.ts';

export interface ConfigFile {
  readonly path: string;
  /** By key; numbers as they are written. */
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads one YAML file: a mapping from keys to texts and numbers. Undefined when there is none.
 *
 * @throws HoldfastError `configuration-invalid` for anything else, and for a key that does not exist
 */
export async function readConfigFile(path: string): Promise<ConfigFile | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  const content = parseText(path, text);
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(content)) {
    if (!configKeyNames.some((known) => known === name)) throw unknownKey(`${name} in ${path}`);
    if (value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw invalidConfig(`The key ${name} in ${path} has to be a text or a number.`, 'Put it in quotes.');
    }
    values.set(name, String(value));
  }
  return { path, values };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalidConfig(
      `The configuration file ${path} cannot be read (${code ?? 'unknown reason'}).`,
      'Let the user that runs the server read it.',
      error,
    );
  }
}

function parseText(path: string, text: string): object {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    // The parser's own message quotes the lines around the error, which may hold a password.
    const line = lineOf(error);
    throw invalidConfig(
      `The configuration file ${path} is not YAML${line === undefined ? '' : ` (line ${line})`}.`,
      'Write one `key: value` a line.',
    );
  }
  if (content === null || content === undefined) return {};
  if (typeof content === 'object' && !Array.isArray(content)) return content;
  throw invalidConfig(`The configuration file ${path} holds no keys.`, 'Write one `key: value` a line.');
}

function lineOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('linePos' in error) || !Array.isArray(error.linePos)) return undefined;
  const first: unknown = error.linePos[0];
  if (typeof first !== 'object' || first === null || !('line' in first)) return undefined;
  return typeof first.line === 'number' ? first.line : undefined;
}

export function unknownKey(what: string): HoldfastError {
  return invalidConfig(`There is no key ${what}.`, `Known keys: ${configKeyNames.join(', ')}.`);
}

export function invalidConfig(message: string, hint: string, cause?: unknown): HoldfastError {
  return new HoldfastError('configuration-invalid', message, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
