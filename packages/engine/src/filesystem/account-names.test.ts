import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { noAccountNames, readAccountNames } from './account-names.ts';

it('reads names as the Go library without cgo does', async () => {
  await using place = await temporaryDirectory();
  const [passwd, group] = [join(place.path, 'passwd'), join(place.path, 'group')];
  writeFileSync(
    passwd,
    [
      '# comment:x:7:7::/:/bin/sh',
      'root:x:0:0:root:/root:/bin/bash',
      'toor:x:0:0:second of the same number:/:',
      '+nis:x:9:9::/:',
      'short:x:5:5',
      'bad:x:six:6::/:',
      '  spaced:x:8:8::/:/bin/sh  ',
      'gr\xf6\xdfe:x:1000:1000::/:',
    ].join('\n'),
    'latin1',
  );
  writeFileSync(group, 'root:x:0:\nwheel:x:10:root,smith\nnomembers:x:11\n');
  const names = readAccountNames(passwd, group);
  expect([0, 5, 6, 7, 8, 9, 1000].map(names.userName)).toEqual([
    'root',
    '',
    '',
    '',
    'spaced',
    '',
    'gr\xf6\xdfe',
  ]);
  expect([0, 10, 11].map(names.groupName)).toEqual(['root', 'wheel', '']);
});

it('knows no names where there is no file, or none are wanted', () => {
  expect(readAccountNames('/nowhere/passwd', '/nowhere/group').userName(0)).toBe('');
  expect(noAccountNames.groupName(0)).toBe('');
});
