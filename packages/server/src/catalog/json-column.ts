import { HoldfastError } from '@holdfast/base';
import type { z } from 'zod';

export interface JsonColumn<T> {
  /** @throws HoldfastError `catalog-damaged` when the text is not what the schema says */
  read(text: string): T;
  readNullable(text: string | null): T | null;
  write(value: T): string;
  writeNullable(value: T | null): string | null;
}

/** A column that holds JSON as text: parsed by its schema at this edge, trusted behind it. */
export function jsonColumn<T>(name: string, schema: z.ZodType<T>): JsonColumn<T> {
  const read = (text: string): T => {
    const parsed = schema.safeParse(parse(name, text));
    if (!parsed.success) throw damaged(name, parsed.error);
    return parsed.data;
  };
  const write = (value: T): string => JSON.stringify(value);
  return {
    read,
    readNullable: (text) => (text === null ? null : read(text)),
    write,
    writeNullable: (value) => (value === null ? null : write(value)),
  };
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(name, error);
  }
}

function damaged(name: string, cause: unknown): HoldfastError {
  return new HoldfastError('catalog-damaged', `The catalog holds something else in ${name} than it should.`, {
    hint: 'Was it edited by hand, or by another version of Holdfast? Put back a copy of the catalog.',
    context: { column: name },
    cause,
  });
}
