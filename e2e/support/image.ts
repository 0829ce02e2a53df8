import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { mustRun } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let built: Promise<string> | undefined;

/** The image of this checkout, under a name of its own: several checkouts may share one engine. */
export function holdfastImage(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const name = `holdfast-test/holdfast-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`;
  const env = { HOLDFAST_IMAGE_TAG: name };
  return (await mustRun(`${root}script/image`, [], { env, timeoutMs: 900_000 })).trim();
}
