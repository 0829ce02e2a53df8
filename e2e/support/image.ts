import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { mustRun } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Of this checkout alone: several checkouts may share one engine. */
export const imageName = `holdfast-test/holdfast-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`;

let built: Promise<string> | undefined;

/** The image of this checkout as it is now. */
export function holdfastImage(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const env = { HOLDFAST_IMAGE_TAG: imageName };
  return (await mustRun(`${root}script/image`, [], { env, timeoutMs: 900_000 })).trim();
}
