import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { HoldfastError, systemErrorCode } from '@holdfast/base';

export interface ControlStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Joins the streams to the control socket of the gate that runs beside this process, until either side ends.
 * @throws HoldfastError `gate-unreachable`
 */
export async function steerGate(path: string, { input, output }: ControlStreams): Promise<void> {
  const socket = connect(path);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } catch (error) {
    throw new HoldfastError('gate-unreachable', `No gate answers at ${path} (${systemErrorCode(error)}).`, {
      hint: 'Run this in the container of a gate that runs, with the same HOLDFAST_GATE_SOCKET.',
      cause: error,
    });
  }
  await new Promise<void>((resolve) => {
    // Whoever steered is gone: the gate releases when the socket ends.
    input.once('close', () => socket.end());
    input.once('error', () => socket.end());
    output.once('error', () => socket.destroy());
    socket.once('error', () => {});
    socket.once('close', () => resolve());
    input.pipe(socket);
    socket.pipe(output, { end: false });
  });
}
