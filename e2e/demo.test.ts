import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageName } from './support/image.ts';
import { type Finished, run } from './support/process.ts';
import { checkWithRestic } from './support/restic.ts';

const program = fileURLToPath(new URL('../script/demo', import.meta.url));
let dataDirectory: string;

beforeAll(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
});

afterAll(() => {
  rmSync(dataDirectory, { recursive: true, force: true });
});

async function demo(...args: readonly string[]): Promise<Finished> {
  return await run(program, [...args, '--once', '--json'], {
    env: {
      HOLDFAST_DATA: dataDirectory,
      HOLDFAST_LISTEN: '127.0.0.1:0',
      HOLDFAST_IMAGE_TAG: imageName,
    },
    timeoutMs: 900_000,
  });
}

function lastObject(finished: Finished) {
  return JSON.parse(finished.stdout.trim().split('\n').at(-1) ?? '');
}

const forms = [
  ['script/demo', []],
  ['script/demo --container', ['--container']],
] as const;

it.each(forms)(
  '%s backs up a real app, wrecks it and gets it back',
  { timeout: 900_000 },
  async (_, args) => {
    const finished = await demo(...args);
    expect(finished.status, finished.stderr).toBe(0);
    const result = lastObject(finished);
    expect(result.verified).toBe(true);
    expect(result.backup_id).toMatch(/^bak_[0-9a-z]{16}$/);
    expect(result.parts.map((part: { component: string }) => part.component).sort()).toEqual([
      'cache',
      'db',
      'web',
    ]);
    for (const part of result.parts) {
      expect(part.files).toBeGreaterThan(0);
      expect(part.bytes).toBeGreaterThan(0);
    }
    expect(result.stored_bytes).toBeGreaterThan(0);
    await checkWithRestic({ repository: result.repository, passwordFile: result.password_file });
  },
);

it('script/demo --break notices a single altered row', { timeout: 600_000 }, async () => {
  const finished = await demo('--break');
  expect(finished.status, finished.stderr).toBe(1);
  expect(lastObject(finished).verified).toBe(false);
});
