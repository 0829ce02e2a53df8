/**
 * True when a command line asks for JSON. Read from its words, since errors have to be told in the form that was asked for
 * also where the command line cannot be understood.
 */
export function asksForJson(words: readonly string[]): boolean {
  const options = optionsIn(words);
  return (
    asksForMessages(words) ||
    options.some(
      (word, index) => word === '--format=json' || (word === '--format' && options[index + 1] === 'json'),
    )
  );
}

/** True when it asks for JSON as restic's commands do. */
export function asksForMessages(words: readonly string[]): boolean {
  return optionsIn(words).includes('--json');
}

function optionsIn(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  return end < 0 ? words : words.slice(0, end);
}
