import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoundedText } from './bounded-text.ts';
import { CommandWrapper, type WrapperNote, WrapperNotes } from './wrapper.ts';

test('the wrapper’s lines are found however they are cut, and nothing else of the text is taken', () => {
  const { name } = new CommandWrapper();
  const text = `\u0001${name} input 42\nhello \u0001 there\n\u0001${name}\u0001 oops\n\u0001${name} exit 3\nend\u0001`;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lengths) => {
      const notes: WrapperNote[] = [];
      const parser = new WrapperNotes(name, (note) => notes.push(note));
      const bytes = Buffer.from(text);
      let own = '';
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const length = lengths[turn % lengths.length] ?? 1;
        own += parser.take(bytes.subarray(at, at + length)).toString();
        at += length;
      }
      expect(notes).toEqual([{ feeder: 42 }, { exitCode: 3 }]);
      // What may begin a line of the wrapper's waits for what follows.
      expect(own).toBe(`hello \u0001 there\n\u0001${name}\u0001 oops\nend`);
    }),
  );
});

test('the first line of the output tells the group, if it is the wrapper’s', () => {
  const wrapper = new CommandWrapper();
  expect(wrapper.groupIn(`\u0001${wrapper.name} group 42`)).toBe(42);
  expect(wrapper.groupIn(`\u0001${new CommandWrapper().name} group 42`)).toBeUndefined();
  expect(wrapper.groupIn('exec failed: /bin/sh: no such file')).toBeUndefined();
});

test('a long text keeps its head and its tail, and says what is left out', () => {
  const text = new BoundedText();
  for (let line = 0; line < 100_000; line += 1) text.add(Buffer.from(`line ${line}\n`));
  const kept = text.toString();
  expect(kept.length).toBeLessThan(140_000);
  expect(kept.startsWith('line 0\nline 1\n')).toBe(true);
  expect(kept.endsWith('line 99999\n')).toBe(true);
  expect(kept).toMatch(/\[\d+ bytes left out\]/);
  const short = new BoundedText();
  short.add(Buffer.from('short'));
  expect(short.toString()).toBe('short');
});
