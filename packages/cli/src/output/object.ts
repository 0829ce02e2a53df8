import type { CliContext } from '../context.ts';
import { propertyText } from './property.ts';

export interface ObjectOutput<Item extends object> {
  readonly object: Item;
  /** The object for people. */
  readonly lines: (object: Item, width: number) => readonly string[];
  readonly options: { readonly format: 'table' | 'json'; readonly property?: string };
}

/** Writes one thing to standard output: for people, as JSON, or just one property of it. */
export function writeObject<Item extends object>(
  { output }: CliContext,
  { object, lines, options }: ObjectOutput<Item>,
): void {
  if (options.property !== undefined) output.line(propertyText(object, options.property));
  else if (options.format === 'json') output.line(JSON.stringify(object, undefined, 2));
  else for (const line of lines(object, output.columns)) output.line(line);
}
