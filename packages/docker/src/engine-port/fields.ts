/** Typed looks into an answer of the engine that has no type of its own: whatever is not as expected is empty. */
export interface Fields {
  text(name: string): string;
  number(name: string): number;
  isTrue(name: string): boolean;
  texts(name: string): readonly string[];
  object(name: string): Fields;
  objects(name: string): readonly Fields[];
  names(): readonly string[];
}

export function fieldsOf(answer: unknown): Fields {
  const values = new Map<string, unknown>(
    typeof answer === 'object' && answer !== null ? Object.entries(answer) : [],
  );
  return {
    text: (name) => {
      const value = values.get(name);
      return typeof value === 'string' ? value : '';
    },
    number: (name) => {
      const value = values.get(name);
      return typeof value === 'number' ? value : 0;
    },
    isTrue: (name) => values.get(name) === true,
    texts: (name) => {
      const value = values.get(name);
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
    object: (name) => fieldsOf(values.get(name)),
    objects: (name) => {
      const value = values.get(name);
      return Array.isArray(value) ? value.map(fieldsOf) : [];
    },
    names: () => [...values.keys()],
  };
}
