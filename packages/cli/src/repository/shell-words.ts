import { HoldfastError } from '@holdfast/base';

/**
 * The words of a command line as a shell would see them, with quotes and backslashes and nothing else: no
 * variables, no wildcards.
 *
 * @throws HoldfastError `usage-invalid` for a quote that is not closed, or no words at all
 */
export function shellWords(commandLine: string): readonly [program: string, ...words: string[]] {
  const words: string[] = [];
  let rest = commandLine.trim();
  while (rest !== '') {
    const word = /^(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/s.exec(rest)?.[0];
    if (word === undefined) break;
    words.push(unquoted(word));
    rest = rest.slice(word.length);
    if (rest !== '' && !/^\s/.test(rest)) break;
    rest = rest.trimStart();
  }
  const [program, ...others] = words;
  if (rest === '' && program !== undefined) return [program, ...others];
  throw new HoldfastError('usage-invalid', 'The command that prints the password cannot be understood.', {
    hint: 'Check its quotes.',
  });
}

function unquoted(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs,
    (_, single: string | undefined, double: string | undefined, escaped: string | undefined) =>
      single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
  );
}
