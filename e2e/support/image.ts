import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { mustRun } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Of this checkout alone: several checkouts may share one engine. */
export const imageName = `holdfast-test/holdfast-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`;

let built: Promise<string> | undefined;

/**
 * The image of this checkout as it is now, under an id that no other test file has: by that a test tells its own movers
 * and guards from those of the file that runs beside it.
 */
export function holdfastImage(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const env = { HOLDFAST_IMAGE_TAG: imageName };
  const image = (await mustRun(`${root}script/image`, [], { env, timeoutMs: 900_000 })).trim();
  const file = basename(expect.getState().testPath ?? 'none', '.test.ts');
  const name = `${image}-${file}`;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${image}\n`);
  await mustRun('docker', ['build', '--quiet', '--tag', name, '--label', `holdfast.test=${file}`, folder]);
  rmSync(folder, { recursive: true });
  return name;
}
