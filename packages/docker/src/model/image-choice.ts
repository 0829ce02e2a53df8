import { type Abortable, HoldfastError } from '@holdfast/base';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import type { ImageModel } from './environment-model.ts';

/**
 * By which name an engine has just the image of a model: the reference where it still is that image, else its id, else a
 * digest that a registry knows it by. Never another image that has got the same tag since. `image-unknown` where there is
 * none of these.
 */
export async function chooseImage(
  { images }: Pick<DockerEngine, 'images'>,
  model: ImageModel,
  { signal }: Abortable = {},
): Promise<string> {
  const tagged = await images.inspect(model.reference, { signal });
  if (tagged?.id === model.id) return model.reference;
  if (tagged?.digests.some((digest) => model.digests.includes(digest)) === true) return model.reference;
  for (const name of [model.id, ...model.digests]) {
    if ((await images.inspect(name, { signal })) !== undefined) return name;
  }
  throw new HoldfastError('image-unknown', `Docker does not have the image ${model.reference} as it was.`, {
    hint:
      tagged === undefined
        ? `Pull or load it: docker pull ${model.digests[0] ?? model.reference}`
        : `The engine has another image under that name. Pull or load the one that was in use: ${model.digests[0] ?? model.id}`,
    context: { image: model.reference, imageId: model.id },
  });
}
