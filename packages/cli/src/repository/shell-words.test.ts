import { expect, it } from 'vitest';
import { shellWords } from './shell-words.ts';

it.each([
  ['pass show backup', ['pass', 'show', 'backup']],
  [`  cat  '/my files/key' `, ['cat', '/my files/key']],
  [`sh -c "echo \\"x\\" \\$HOME 'y'"`, ['sh', '-c', `echo "x" $HOME 'y'`]],
  [`a\\ b c"d e"'f'`, ['a b', 'cd ef']],
  [`printf '' ""`, ['printf', '', '']],
  [`say "back\\\\slash" '\\n'`, ['say', 'back\\slash', '\\n']],
])('%s', (text, words) => {
  expect(shellWords(text)).toEqual(words);
});

it.each(['', '   ', 'a "b', "a 'b", 'a\\'])('%j is not a command', (text) => {
  expect(() => shellWords(text)).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
});
