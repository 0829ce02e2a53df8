import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { copyFrames } from '../engine-port/exec-frames.ts';
import type { ExecOptions, ExecSession } from '../engine-port/exec-session.ts';
import { startCommand } from './run-command.ts';

function frame(stream: 1 | 2, bytes: Buffer): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

const pieceBytes = 32 * 1024;

/** An engine that passes on nothing of standard error before all of the output. */
function exec(output: Buffer) {
  return async (_container: string, { command }: ExecOptions): Promise<ExecSession> => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const wire = new PassThrough();
    const name = command[3];
    wire.write(frame(1, Buffer.from(`\u0001${name} group 42\n`)));
    for (let at = 0; at < output.length; at += pieceBytes)
      wire.write(frame(1, output.subarray(at, at + pieceBytes)));
    wire.end(frame(2, Buffer.from(`warning\n\u0001${name} exit 0\n`)));
    const { signal } = new AbortController();
    const exitCode = copyFrames(wire, { stdout, stderr }, { signal }).then(() => {
      stdout.end();
      stderr.end();
      // Nothing of it is left to be killed.
      return command.length > 5 ? 1 : 0;
    });
    return { stdin, stdout, stderr, exitCode, [Symbol.asyncDispose]: async () => {} };
  };
}

test('a command starts, however much of its output comes before anything else', async () => {
  const output = Buffer.alloc(2 ** 20, 'x');
  const running = await startCommand({ exec: exec(output) }, 'app', 'command', { timeoutMs: 60_000 });
  expect(output.equals(await buffer(running.stdout))).toBe(true);
  expect(await running.ended).toMatchObject({ exitCode: 0, errors: 'warning\n' });
});
