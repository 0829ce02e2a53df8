import { isJsonObject, type JsonObject, type JsonValue } from '../engine-port/json-object.ts';

/** Empty where there is no object. */
export function objectAt(json: JsonObject, name: string): JsonObject {
  const value = json[name];
  return isJsonObject(value) ? value : {};
}

/** Empty where there is no text. */
export function textAt(json: JsonObject, name: string): string {
  const value = json[name];
  return typeof value === 'string' ? value : '';
}

/** 0 where there is no number. */
export function numberAt(json: JsonObject, name: string): number {
  const value = json[name];
  return typeof value === 'number' ? value : 0;
}

/** Whatever of a list is text; Go writes an empty list as null. */
export function textsAt(json: JsonObject, name: string): readonly string[] {
  return listAt(json, name).filter((item) => typeof item === 'string');
}

export function objectsAt(json: JsonObject, name: string): readonly JsonObject[] {
  return listAt(json, name).filter(isJsonObject);
}

/** The same object without some of its fields. */
export function without(json: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !names.includes(name)));
}

/** The same object with a field changed; a field that is not there stays so. */
export function withChanged(
  json: JsonObject,
  name: string,
  change: (value: JsonValue) => JsonValue,
): JsonObject {
  const value = json[name];
  return value === undefined ? json : { ...json, [name]: change(value) };
}

function listAt(json: JsonObject, name: string): readonly JsonValue[] {
  const value = json[name];
  return Array.isArray(value) ? value : [];
}
