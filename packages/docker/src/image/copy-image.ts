import { type Abortable, HoldfastError } from '@holdfast/base';
import type { DockerEngine } from '../engine-port/docker-engine.ts';

type ImageEngine = Pick<DockerEngine, 'images' | 'host'>;

/**
 * Has an engine get an image that another one has, by its id, as `docker save | docker load` does. One that it has
 * already is left alone.
 * @throws HoldfastError `docker-refused` where the engine calls what it got otherwise, or cannot take it
 */
export async function copyImage(
  id: string,
  { from, to, signal }: { readonly from: ImageEngine; readonly to: ImageEngine } & Abortable,
): Promise<void> {
  if ((await to.images.inspect(id, { signal })) !== undefined) return;
  await to.images.load(from.images.save(id, { signal }), { signal });
  if ((await to.images.inspect(id, { signal })) !== undefined) return;
  throw new HoldfastError('docker-refused', `The engine at ${to.host} did not take the image ${id}.`, {
    hint: `Move it over by hand: docker -H ${from.host} save ${id} | docker -H ${to.host} load.`,
    context: { image: id, from: from.host, to: to.host },
  });
}
