/**
 * What this machine can do at most: hashes, compresses and seals the input from memory, in blocks of 1 MiB, on every
 * processor. Nothing else: no chunker, no input or output, and no second look at what was sealed.
 *
 *   node bench/limit/seal-limit.ts PATH       prints {wallSeconds, cpuSeconds, bytes} as JSON
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { blockBytes, type Content, type WorkerMessage } from './content.ts';

const [path = ''] = process.argv.slice(2);
const content = load(statSync(path).isDirectory() ? filesBelow(path) : [path]);
const workers = Array.from(
  { length: availableParallelism() },
  () => new Worker(new URL('./seal-worker.ts', import.meta.url), { workerData: content }),
);
await Promise.all(workers.map((worker) => answer(worker, 'ready')));
const processorBefore = process.cpuUsage();
const begun = performance.now();
const finished = workers.map((worker) => answer(worker, 'done'));
for (const worker of workers) worker.postMessage('go');
await Promise.all(finished);
const wallSeconds = (performance.now() - begun) / 1000;
const { user, system } = process.cpuUsage(processorBefore);
await Promise.all(workers.map((worker) => worker.terminate()));
const bytes = content.bytes.byteLength;
process.stdout.write(`${JSON.stringify({ wallSeconds, cpuSeconds: (user + system) / 1e6, bytes })}\n`);

function load(files: readonly string[]): Content {
  const sizes = files.map((file) => statSync(file).size);
  const bytes = new SharedArrayBuffer(sizes.reduce((sum, size) => sum + size, 0));
  const ends: number[] = [];
  let at = 0;
  for (const [number, file] of files.entries()) {
    const end = at + (sizes[number] ?? 0);
    const descriptor = openSync(file, 'r');
    while (at < end) {
      const length = Math.min(blockBytes, end - at);
      at += readSync(descriptor, new Uint8Array(bytes, at, length));
      ends.push(at);
    }
    closeSync(descriptor);
  }
  return { bytes, ends, next: new Int32Array(new SharedArrayBuffer(4)) };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function answer(worker: Worker, message: WorkerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (got: WorkerMessage) => {
      if (got === message) resolve();
      else reject(new Error(`A worker said ${got} instead of ${message}.`));
    });
  });
}
