import { Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { type Abortable, HoldfastError } from '@holdfast/base';
import type { EngineLink } from './engine-link.ts';
import { copyFrames } from './exec-frames.ts';

const timeoutMs = 30_000;

/**
 * The standard streams of a container. Both outputs must be read (or resumed), and end when the container does or the
 * connection breaks: which of both it was, the container's state tells. Nothing here fails: what cannot be written to a
 * container that has ended is lost.
 */
export interface Attachment extends Disposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export async function openAttachment(
  link: EngineLink,
  container: string,
  { signal }: Abortable,
): Promise<Attachment> {
  const subject = { kind: 'container', name: container } as const;
  const action = `attach to container ${container}`;
  const socket = await link.call({ action, subject, timeoutMs, signal }, (abortSignal) =>
    link.dockerode.getContainer(encodeURIComponent(container)).attach({
      hijack: true,
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      abortSignal,
    }),
  );
  if (!(socket instanceof Duplex)) {
    throw new HoldfastError('docker-refused', 'The Docker client gave no stream.', {
      context: { engineMessage: action },
    });
  }
  socket.on('error', () => {});
  const outputs = { stdout: new PassThrough(), stderr: new PassThrough() };
  const cut = new AbortController();
  const end = (): void => {
    outputs.stdout.end();
    outputs.stderr.end();
    socket.destroy();
  };
  copyFrames(socket, outputs, cut).then(end, end);
  return {
    stdin: socket,
    ...outputs,
    [Symbol.dispose]: () => {
      cut.abort();
      socket.destroy();
    },
  };
}
