import { HoldfastError } from '@holdfast/base';
import { printable } from './printable.ts';

/**
 * One property of an object by its path (`parts.0.name`) as text: a string as it is, null as nothing, anything else
 * as JSON.
 *
 * @throws HoldfastError `usage-invalid` when there is none of that name
 */
export function propertyText(object: object, path: string): string {
  let value: unknown = object;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      throw unknown(path, value);
    value = (value as Record<string, unknown>)[name];
  }
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
}

function unknown(path: string, parent: unknown): HoldfastError {
  const names = typeof parent === 'object' && parent !== null ? Object.keys(parent) : [];
  return new HoldfastError('usage-invalid', `There is no property "${printable(path)}".`, {
    ...(names.length === 0 ? {} : { hint: `There are: ${names.join(', ')}.` }),
  });
}
