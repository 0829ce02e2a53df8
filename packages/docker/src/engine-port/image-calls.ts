import { Readable } from 'node:stream';
import { type Abortable, HoldfastError } from '@holdfast/base';
import { dial } from './dial.ts';
import type { ImageCalls } from './docker-engine.ts';
import { engineStatus } from './engine-error.ts';
import type { EngineLink } from './engine-link.ts';
import type { Image } from './engine-objects.ts';
import { openEngineStream, readEngineStream } from './engine-stream.ts';
import { fieldsOf } from './fields.ts';
import { jsonObjects } from './json-stream.ts';

const timeoutMs = 30_000;

export function imageCalls(link: EngineLink): ImageCalls {
  const { dockerode, call } = link;
  return {
    save: (image, options = {}) => saveImage(link, image, options),
    load: (archive, options = {}) => loadImage(link, archive, options),
    pull: (digest, options = {}) => pullImage(link, digest, options),
    tag: (image, name, { signal } = {}) =>
      call({ action: `tag image ${image}`, timeoutMs, signal }, async (abortSignal) => {
        const [, repo = name, tag = 'latest'] = /^(.*?)(?::([^:/]+))?$/.exec(name) ?? [];
        await dockerode.getImage(image).tag({ repo, tag, abortSignal });
      }),
    list: ({ signal } = {}) =>
      call({ action: 'list images', timeoutMs, signal }, async (abortSignal) => {
        const images = await dockerode.listImages({ abortSignal });
        return images.map((image) => ({
          id: image.Id,
          tags: image.RepoTags ?? [],
          digests: image.RepoDigests ?? [],
          sizeBytes: image.Size,
        }));
      }),
    inspect: (name, { signal } = {}) =>
      call({ action: `inspect image ${name}`, timeoutMs, signal }, async (abortSignal) => {
        try {
          return toImage(await dial(dockerode, `/images/${encodeURIComponent(name)}/json`, { abortSignal }));
        } catch (error) {
          if (engineStatus(error) === 404) return undefined;
          throw error;
        }
      }),
  };
}

/** The engine may write all of a large image to its own disk first. */
const saveTimeoutMs = 30 * 60_000;
const saveIdleTimeoutMs = 5 * 60_000;
/** Two blocks of zeros. */
const tarEnd = Buffer.alloc(1024);

/** What goes wrong after it has begun to answer, the engine can only say within the archive itself. */
async function* saveImage(link: EngineLink, image: string, { signal }: Abortable): AsyncGenerator<Buffer> {
  const action = `save image ${image}`;
  const options = { action, timeoutMs: saveTimeoutMs, idleTimeoutMs: saveIdleTimeoutMs, signal };
  const stream = await openEngineStream(link, `/images/${encodeURIComponent(image)}/get`, options);
  let tail = Buffer.alloc(0);
  for await (const piece of readEngineStream(link, stream, options)) {
    tail = Buffer.concat([tail, piece.subarray(-tarEnd.length)]).subarray(-tarEnd.length);
    yield piece;
  }
  if (tail.equals(tarEnd)) return;
  throw new HoldfastError('docker-refused', `Docker did not save all of the image ${image}.`, {
    hint: "See the engine's own log. `docker save` of the image should work.",
    context: {
      image,
      engineMessage: tail
        .toString('latin1')
        .replace(/[^\x20-\x7e]+/g, ' ')
        .trim()
        .slice(-300),
    },
  });
}

/** However large an image is. */
const loadTimeoutMs = 60 * 60_000;

/** The engine answers well before it is done; how it ends, it says in the answer. */
async function loadImage(
  { dockerode, call }: EngineLink,
  archive: AsyncIterable<Uint8Array>,
  { signal }: Abortable,
): Promise<void> {
  const source = Readable.from(archive, { objectMode: false });
  // Whoever sends the request waits for more when the source breaks.
  const breaking = new AbortController();
  source.once('error', (error) => breaking.abort(error));
  try {
    await call(
      { action: 'load an image', timeoutMs: loadTimeoutMs, signal: anyOf(signal, breaking.signal) },
      async (abortSignal) => {
        const answer = await dockerode.loadImage(source, { quiet: true, abortSignal });
        await requireDone(answer as AsyncIterable<Buffer>, notLoaded);
      },
    );
  } catch (error) {
    throw breaking.signal.aborted ? breaking.signal.reason : error;
  } finally {
    source.destroy();
  }
}

/** However slow a registry is. */
const pullTimeoutMs = 60 * 60_000;

async function pullImage(
  { dockerode, call }: EngineLink,
  digest: string,
  { signal }: Abortable,
): Promise<void> {
  await call({ action: `pull ${digest}`, timeoutMs: pullTimeoutMs, signal }, async (abortSignal) => {
    const answer = await dockerode.createImage({ fromImage: digest, abortSignal });
    await requireDone(answer as AsyncIterable<Buffer>, (engineMessage) => notPulled(digest, engineMessage));
  });
}

/** It has begun to answer by then: what goes wrong is in the answer. */
async function requireDone(
  answer: AsyncIterable<Buffer>,
  failure: (engineMessage: string) => HoldfastError,
): Promise<void> {
  for await (const line of jsonObjects(answer)) {
    const engineMessage = fieldsOf(line).text('error');
    if (engineMessage !== '') throw failure(engineMessage);
  }
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

function notLoaded(engineMessage: string): HoldfastError {
  return new HoldfastError('docker-refused', `Docker did not load the image: ${engineMessage}`, {
    hint: "See the engine's own log, and whether its disk is full.",
    context: { engineMessage },
  });
}

function notPulled(digest: string, engineMessage: string): HoldfastError {
  return new HoldfastError('docker-refused', `Docker did not pull ${digest}: ${engineMessage}`, {
    context: { image: digest, engineMessage },
  });
}

function toImage(answer: unknown): Image {
  const image = fieldsOf(answer);
  return {
    id: image.text('Id'),
    tags: image.texts('RepoTags'),
    digests: image.texts('RepoDigests'),
    sizeBytes: image.number('Size'),
    declaredVolumes: image.object('Config').object('Volumes').names(),
    variables: image
      .object('Config')
      .texts('Env')
      .map((line) => line.split('=', 1)[0] ?? ''),
  };
}
