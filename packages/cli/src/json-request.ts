/**
 * True when a command line asks for JSON. Read from its words, since errors have to be told in the form that was asked for
 * also where the command line cannot be understood.
 */
export function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  const options = end < 0 ? words : words.slice(0, end);
  return options.some(
    (word, index) =>
      word === '--json' || word === '--format=json' || (word === '--format' && options[index + 1] === 'json'),
  );
}
