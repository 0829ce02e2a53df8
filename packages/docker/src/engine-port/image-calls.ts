import { dial } from './dial.ts';
import type { ImageCalls } from './docker-engine.ts';
import { engineStatus } from './engine-error.ts';
import type { EngineLink } from './engine-link.ts';
import type { Image } from './engine-objects.ts';
import { fieldsOf } from './fields.ts';

const timeoutMs = 30_000;

export function imageCalls({ dockerode, call }: EngineLink): ImageCalls {
  return {
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

function toImage(answer: unknown): Image {
  const image = fieldsOf(answer);
  return {
    id: image.text('Id'),
    tags: image.texts('RepoTags'),
    digests: image.texts('RepoDigests'),
    sizeBytes: image.number('Size'),
    declaredVolumes: image.object('Config').object('Volumes').names(),
  };
}
