import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type S3Place, s3Place } from '@holdfast/engine/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

interface Finished {
  readonly status: number;
  readonly output: string;
  readonly notes: string;
}

let folder: string;
let place: S3Place;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-s3-cli-'));
  await mkdir(join(folder, 'source'));
  await writeFile(join(folder, 'source', 'file'), 'contents\n');
  place = await s3Place();
  env = {
    PATH: process.env.PATH,
    HOME: folder,
    ...place.env,
    RESTIC_REPOSITORY: place.location,
    RESTIC_PASSWORD: 'a password',
  };
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function holdfast(words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { env: { ...env, ...more }, cwd: folder };
    const child = execFile(process.execPath, [main, ...words], options, (_error, output, notes) =>
      resolve({ status: child.exitCode ?? -1, output, notes }),
    );
  });
}

it('the repository commands work on a bucket', async () => {
  expect(await holdfast(['repository:snapshots'])).toMatchObject({
    status: 1,
    notes: expect.stringContaining('error[storage-bucket-missing]'),
  });
  expect(await holdfast(['repository:init', '-o', 's3.bucket-lookup=path'])).toMatchObject({ status: 0 });
  const limits = ['--limit-upload', '10000', '--limit-download', '10000', '-o', 's3.connections=2'];
  expect(await holdfast(['repository:backup', 'source', ...limits])).toMatchObject({ status: 0 });
  const [id = ''] = await readdir(join(folder, '.cache', 'holdfast'));
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(await readdir(join(folder, '.cache', 'holdfast', id, 'snapshots'))).toHaveLength(1);

  const elsewhere = ['--cache-dir', 'elsewhere', '-o', 's3.region=us-east-1'];
  expect(await holdfast(['repository:snapshots', '--json', ...elsewhere])).toMatchObject({ status: 0 });
  expect(await readdir(join(folder, 'elsewhere'))).toEqual([id]);
  expect(await holdfast(['repository:check', '--read-data'])).toMatchObject({ status: 0 });
  await rm(join(folder, '.cache'), { recursive: true });
  const restored = await holdfast(['repository:restore', 'latest', '--target', 'out', '--no-cache']);
  expect(restored).toMatchObject({ status: 0 });
  expect(await readFile(join(folder, 'out', 'source', 'file'), 'utf8')).toBe('contents\n');
  await expect(readdir(join(folder, '.cache'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('say what is wrong with the credentials, and not what they are', async () => {
  const secret = 'not-the-secret-that-it-is';
  const { status, output, notes } = await holdfast(['repository:ls', 'latest'], {
    AWS_SECRET_ACCESS_KEY: secret,
  });
  expect(status).toBe(1);
  expect(notes).toContain('error[storage-credentials-wrong]');
  expect(output + notes).not.toContain(secret);
});
