import { join } from 'node:path';
import { describeBackendContract } from '../../testing/backend-contract.ts';
import { FaultBackend } from '../../testing/fault-backend.ts';
import { MemoryBackend } from '../../testing/memory-backend.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import type { Backend } from '../backend.ts';
import { withBandwidthLimit } from './bandwidth-limit.ts';
import { withConcurrencyLimit } from './concurrency-limit.ts';
import { withMetadataCache } from './metadata-cache.ts';
import { withRetries } from './retries.ts';

const manyBytes = 1_000_000_000;

const wrapped: Readonly<Record<string, (inner: Backend) => Backend>> = {
  MemoryBackend: (inner) => inner,
  FaultBackend: (inner) => new FaultBackend(inner),
  withRetries: (inner) => withRetries(inner),
  withConcurrencyLimit: (inner) => withConcurrencyLimit(inner, 1),
  withBandwidthLimit: (inner) =>
    withBandwidthLimit(inner, { uploadBytesPerSecond: manyBytes, downloadBytesPerSecond: manyBytes }),
};

for (const [name, wrap] of Object.entries(wrapped)) {
  describeBackendContract(name, async () => ({
    backend: wrap(new MemoryBackend()),
    [Symbol.asyncDispose]: async () => {},
  }));
}

describeBackendContract('withMetadataCache', async () => {
  const directory = await temporaryDirectory();
  const backend = withMetadataCache(new MemoryBackend(), { directory: join(directory.path, 'cache') });
  return { backend, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
});
