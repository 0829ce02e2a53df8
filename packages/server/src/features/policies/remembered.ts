/**
 * `make`, but what it answered is remembered: calendars in time zones are slow, and the same few moments are asked for
 * over and over. When `limit` answers are remembered, all are forgotten.
 */
export function remembered<Key extends string | number, Value>(
  limit: number,
  make: (key: Key) => Value,
): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const earlier = known.get(key);
    if (earlier !== undefined) return earlier;
    const value = make(key);
    if (known.size >= limit) known.clear();
    known.set(key, value);
    return value;
  };
}
