import { parentPort, workerData } from 'node:worker_threads';
import { sha256 } from '../../packages/engine/src/crypto/hash.ts';
import { randomMasterKey } from '../../packages/engine/src/crypto/master-key.ts';
import { SealCipher, sealOverheadBytes } from '../../packages/engine/src/crypto/seal.ts';
import { createZstdCodec, frameBoundBytes } from '../../packages/engine/src/crypto/zstd.ts';
import { blockBytes, type Content, type WorkerMessage } from './content.ts';

const { bytes, ends, next } = workerData as Content;
const zstd = createZstdCodec();
const cipher = new SealCipher(randomMasterKey());
const frame = Buffer.alloc(frameBoundBytes(blockBytes));
const sealed = Buffer.alloc(blockBytes + sealOverheadBytes);

// Once for nothing: what is loaded at the first use is not what is measured.
sealBlock(new Uint8Array(blockBytes));
parentPort?.once('message', () => {
  for (let block = Atomics.add(next, 0, 1); block < ends.length; block = Atomics.add(next, 0, 1)) {
    const start = ends[block - 1] ?? 0;
    sealBlock(new Uint8Array(bytes, start, (ends[block] ?? start) - start));
  }
  tell('done');
});
tell('ready');

function sealBlock(plaintext: Uint8Array): void {
  sha256(plaintext);
  const frameBytes = zstd.compress(plaintext, frame);
  if (frameBytes === -1) throw new Error('A block does not compress into the memory that is meant for it.');
  const shorter = frameBytes < plaintext.length ? frame.subarray(0, frameBytes) : plaintext;
  cipher.seal(shorter, sealed.subarray(0, shorter.length + sealOverheadBytes));
}

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
