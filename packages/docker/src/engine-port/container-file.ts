import { IncomingMessage } from 'node:http';
import { HoldfastError } from '@holdfast/base';
import type Dockerode from 'dockerode';
import { engineStatus } from './engine-error.ts';
import { fieldsOf } from './fields.ts';
import { readFirstEntry } from './tar-entry.ts';

export interface ContainerFile {
  readonly content: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

export interface ContainerFileRequest {
  readonly path: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** See `ContainerCalls.readFile`. The engine sends a tar of the one path, whose first entry it is. */
export async function readContainerFile(
  container: Dockerode.Container,
  { path, maxBytes, signal }: ContainerFileRequest,
): Promise<ContainerFile | undefined> {
  const archive = await openArchive(container, path, signal);
  if (archive === undefined) return undefined;
  const entry = await readFirstEntry(archive, { maxBytes });
  switch (entry.outcome) {
    case 'file':
      return { content: entry.content, mode: entry.mode };
    case 'not-a-file':
      throw unreadable(path, 'it is no regular file');
    case 'too-large':
      throw unreadable(path, `it is larger than ${maxBytes} bytes`);
    case 'damaged':
      throw unreadable(path, "the engine's archive is damaged");
  }
}

export interface ContainerPathStat {
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly isFolder: boolean;
}

/** The engine tells it in a header, as base64 of JSON with Go's file mode and time. */
export async function statContainerPath(
  container: Dockerode.Container,
  path: string,
  abortSignal: AbortSignal,
): Promise<ContainerPathStat | undefined> {
  const answer: unknown = await unlessNothingThere(container, abortSignal, () =>
    container.infoArchive({ path, abortSignal }),
  );
  if (answer === undefined) return undefined;
  if (!(answer instanceof IncomingMessage)) throw unreadable(path, 'the Docker client gave no answer');
  answer.destroy();
  const header = answer.headers['x-docker-container-path-stat'];
  const stat = fieldsOf(JSON.parse(Buffer.from(String(header), 'base64').toString('utf8')));
  const isFolder = stat.number('mode') >= goModeFolder;
  return { sizeBytes: stat.number('size'), mtimeNs: nanoseconds(stat.text('mtime')), isFolder };
}

/** The highest of Go's 32 mode bits. */
const goModeFolder = 2 ** 31;

/** Of a time such as `2026-11-21T02:19:15.045384238+01:00`. */
function nanoseconds(time: string): bigint {
  const [, seconds = '', fraction = '', zone = ''] =
    /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  return BigInt(Date.parse(`${seconds}${zone}`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

async function openArchive(
  container: Dockerode.Container,
  path: string,
  abortSignal: AbortSignal,
): Promise<NodeJS.ReadableStream | undefined> {
  return unlessNothingThere(container, abortSignal, () => container.getArchive({ path, abortSignal }));
}

async function unlessNothingThere<Answer>(
  container: Dockerode.Container,
  abortSignal: AbortSignal,
  request: () => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    return await request();
  } catch (error) {
    if (engineStatus(error) !== 404) throw error;
    // The same status says that the container is gone: then inspecting it fails with it, too.
    await container.inspect({ abortSignal });
    return undefined;
  }
}

function unreadable(path: string, reason: string): HoldfastError {
  return new HoldfastError('docker-refused', `${path} of the container cannot be read: ${reason}.`, {
    context: { path, engineMessage: reason },
  });
}
