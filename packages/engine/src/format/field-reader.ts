import { isId } from './id-codec.ts';
import { damaged, isJsonObject, type JsonObject } from './json.ts';

/** Reads typed fields of a JSON object; each method throws `repository-damaged` for a field of another type. */
export class FieldReader {
  readonly #object: JsonObject;
  readonly #what: string;

  /** `what` names the object in messages: "config", "index 1234". */
  constructor(object: JsonObject, what: string) {
    this.#object = object;
    this.#what = what;
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined && this.#object[name] !== null;
  }

  string(name: string): string {
    const value = this.#object[name];
    if (typeof value !== 'string') throw this.#wrong(name);
    return value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  count(name: string): number {
    const value = this.#object[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.#wrong(name);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#object[name];
    if (typeof value !== 'boolean') throw this.#wrong(name);
    return value;
  }

  id(name: string): string {
    const value = this.#object[name];
    if (!isId(value)) throw this.#wrong(name);
    return value;
  }

  base64(name: string): Buffer {
    const text = this.string(name);
    const bytes = Buffer.from(text, 'base64');
    if (bytes.toString('base64') !== text) throw this.#wrong(name);
    return bytes;
  }

  object(name: string): FieldReader {
    const value = this.#object[name];
    if (!isJsonObject(value)) throw this.#wrong(name);
    return new FieldReader(value, this.#what);
  }

  /** An absent field and `null` are empty lists, as Go writes them. */
  strings(name: string): string[] {
    return this.#list(name).map((item) => {
      if (typeof item !== 'string') throw this.#wrong(name);
      return item;
    });
  }

  ids(name: string): string[] {
    return this.#list(name).map((item) => {
      if (!isId(item)) throw this.#wrong(name);
      return item;
    });
  }

  objects(name: string): FieldReader[] {
    return this.#list(name).map((item) => {
      if (!isJsonObject(item)) throw this.#wrong(name);
      return new FieldReader(item, this.#what);
    });
  }

  #list(name: string): readonly unknown[] {
    const value = this.#object[name] ?? [];
    if (!Array.isArray(value)) throw this.#wrong(name);
    return value;
  }

  #wrong(name: string): Error {
    return damaged(this.#what, `its field "${name}" is missing or not what it should be`);
  }
}
