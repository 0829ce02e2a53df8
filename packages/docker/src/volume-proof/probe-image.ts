import type { Abortable } from '@holdfast/base';
import type { ImageCalls } from '../engine-port/docker-engine.ts';
import type { Image } from '../engine-port/engine-objects.ts';

/** The first of the wanted images that the engine has, else its smallest: the probe runs nothing of it. */
export async function chooseProbeImage(
  images: ImageCalls,
  wanted: readonly string[],
  { signal }: Abortable,
): Promise<Image | undefined> {
  for (const name of new Set(wanted)) {
    const image = await images.inspect(name, { signal });
    if (image !== undefined) return image;
  }
  const all = await images.list({ signal });
  for (const { id } of all.toSorted((a, b) => a.sizeBytes - b.sizeBytes)) {
    const image = await images.inspect(id, { signal });
    if (image !== undefined) return image;
  }
  return undefined;
}
