import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cliRun } from '../testing/cli-run.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-usage-'));
  mkdirSync(join(folder, 'source'));
  writeFileSync(join(folder, 'list'), 'source\n');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it.each<readonly [string, string]>([
  ['backup', 'nothing to back up'],
  ['backup --files-from /dev/null', 'nothing to back up'],
  ['backup --stdin source', 'by itself'],
  ['backup --stdin --files-from list', 'by itself'],
  ['backup --stdin-from-command --files-from list -- x', 'by itself'],
  ['backup --stdin --stdin-from-command -- x', 'cannot both'],
  ['backup --stdin-from-command', 'no command'],
  ['backup --stdin --stdin-filename ..', 'name'],
  ['backup --files-from-raw list', 'zero byte'],
  ['backup --files-from no-such-file', 'ENOENT'],
  ['backup --exclude-file no-such-file source', 'ENOENT'],
  ['backup --exclude-larger-than much source', 'size'],
  ['backup --time yesterday source', 'time'],
  ['backup --group-by colour source', 'host, paths'],
  ['restore latest --target / --delete', '--include'],
  ['restore latest --target /tmp/.. --delete --dry-run', '--include'],
])('repository:%s is wrong usage', async (line, what) => {
  const words = `repository:${line}`.split(' ');
  const env = { RESTIC_REPOSITORY: join(folder, 'repository'), RESTIC_PASSWORD: 'x' };
  const { status, output, notes } = await cliRun(words, { folder, env });
  expect({ status, output }, notes).toEqual({ status: 2, output: '' });
  expect(notes).toContain(what);
  expect(notes).toMatch(/^error\[usage-invalid\]: [^\n]+\n$/);
});
