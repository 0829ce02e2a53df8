import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import type { EnvironmentModel, ImageModel } from './environment-model.ts';
import { chooseImage } from './image-choice.ts';

type Docker = Pick<DockerEngine, 'images'>;

export interface PullImagesOptions extends Abortable {
  /** Told before each that is pulled. */
  readonly onPull?: ((digest: string) => void) | undefined;
}

/**
 * Has an engine fetch the images of a model that it does not have, each by its digest, so that it is the very same; under
 * its old name too, unless another one has that by now. What no registry has ever had is left to whoever loads it.
 * @throws HoldfastError `image-unknown` where no registry gives one
 */
export async function pullMissingImages(
  docker: Docker,
  { containers }: Pick<EnvironmentModel, 'containers'>,
  { onPull, signal }: PullImagesOptions = {},
): Promise<void> {
  const images = new Map(containers.map(({ image }) => [image.id, image]));
  for (const image of images.values()) {
    if (image.digests.length === 0 || (await isThere(docker, image, { signal }))) continue;
    await pull(docker, image, { onPull, signal });
  }
}

async function isThere(docker: Docker, image: ImageModel, options: Abortable): Promise<boolean> {
  try {
    await chooseImage(docker, image, options);
    return true;
  } catch (error) {
    if (isHoldfastError(error, 'image-unknown')) return false;
    throw error;
  }
}

async function pull(
  { images }: Docker,
  { reference, digests }: ImageModel,
  { onPull, signal }: PullImagesOptions,
): Promise<void> {
  const failures: HoldfastError[] = [];
  for (const digest of digests) {
    onPull?.(digest);
    try {
      await images.pull(digest, { signal });
    } catch (error) {
      if (!isHoldfastError(error, 'docker-refused')) throw error;
      failures.push(error);
      continue;
    }
    const isNamed = !reference.includes('@') && !/^(sha256:)?[0-9a-f]{12,}$/.test(reference);
    if (isNamed && (await images.inspect(reference, { signal })) === undefined)
      await images.tag(digest, reference, { signal });
    return;
  }
  const [first] = failures;
  throw new HoldfastError(
    'image-unknown',
    `Docker does not have the image ${reference} as it was. ${first?.message}`,
    {
      hint: `See whether its registry can be reached, and log in to it where that is needed: docker pull ${digests[0]}`,
      context: { image: reference, digests },
      cause: first,
    },
  );
}
