import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { HoldfastError } from '@holdfast/base';

const headerBytes = 8;

export interface ExecOutputs {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/**
 * Copies Docker's multiplexed output to the two outputs until it ends: frames of one byte for the stream (1 or 2), three
 * of zero, four of length, then the bytes. Goes only as fast as the outputs take it.
 */
export async function copyFrames(
  source: Readable,
  outputs: ExecOutputs,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  let header = Buffer.alloc(0);
  let target: Writable = outputs.stdout;
  let remaining = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    let chunk = piece;
    while (chunk.length > 0) {
      if (remaining === 0) {
        const missing = headerBytes - header.length;
        header = Buffer.concat([header, chunk.subarray(0, missing)]);
        chunk = chunk.subarray(missing);
        if (header.length < headerBytes) continue;
        target = targetOf(header, outputs);
        remaining = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(0, remaining);
      chunk = chunk.subarray(part.length);
      remaining -= part.length;
      if (!target.write(part)) await once(target, 'drain', { signal });
    }
  }
  if (remaining > 0 || header.length > 0) throw damaged('it ended within a frame');
}

function targetOf(header: Buffer, outputs: ExecOutputs): Writable {
  switch (header[0]) {
    case 1:
      return outputs.stdout;
    case 2:
      return outputs.stderr;
    default:
      throw damaged('it names an unknown stream');
  }
}

function damaged(reason: string): HoldfastError {
  return new HoldfastError('docker-refused', `The output of the command cannot be read: ${reason}.`, {
    context: { engineMessage: reason },
  });
}
