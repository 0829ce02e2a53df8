import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { openDataDirectory } from './data-directory.ts';

const taken = { code: 'server-already-running', kind: 'not-possible' };

test('is made for its owner only, and held until it is given back', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'deep/data');
  {
    using data = await openDataDirectory(path);
    expect((await stat(data.path)).mode & 0o777).toBe(0o700);
    await expect(openDataDirectory(path)).rejects.toMatchObject(taken);
  }
  using again = await openDataDirectory(path);
  expect(again.path).toBe(path);
});

test('is free again when the process that held it was killed', async () => {
  await using directory = await temporaryDirectory();
  const module = join(import.meta.dirname, 'data-directory.ts');
  const script = `
    import { openDataDirectory } from ${JSON.stringify(module)};
    await openDataDirectory(${JSON.stringify(directory.path)});
    process.stdout.write('held');
    setInterval(() => {}, 1000);
  `;
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(holder.stdout, 'data');
    await expect(openDataDirectory(directory.path)).rejects.toMatchObject(taken);
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  using free = await openDataDirectory(directory.path);
  expect(free.path).toBe(directory.path);
});

test('a path that cannot be a directory is refused', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'file');
  await writeFile(file, '');
  await expect(openDataDirectory(file)).rejects.toMatchObject({ code: 'configuration-invalid' });
  await expect(openDataDirectory(join(file, 'data'))).rejects.toMatchObject({
    code: 'configuration-invalid',
  });
});
