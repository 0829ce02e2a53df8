import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveImage } from '../testing/registry.ts';
import { sampleContainer } from '../testing/sample-model.ts';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { pullMissingImages } from './pull-images.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

test('an image that the engine has lost comes back from its registry, the very same and under its name', async () => {
  const { images } = engine.docker;
  await using served = await serveImage(engine.docker, engine.image);
  const { reference } = served;
  const pulled = await images.inspect(reference);
  const image = { reference, id: pulled?.id ?? '', digests: pulled?.digests ?? [] };
  expect(image.digests).toEqual([served.digest]);
  served.remove();
  expect(await images.inspect(image.id)).toBeUndefined();

  const told: string[] = [];
  const options = { onPull: (digest: string) => told.push(digest) };
  const containers = [sampleContainer({ image })];
  await pullMissingImages(engine.docker, { containers }, options);
  expect((await images.inspect(reference))?.id).toBe(image.id);
  await pullMissingImages(engine.docker, { containers }, options);
  expect(told).toEqual(image.digests);
  served.remove();

  const digest = served.digest.replace(/[0-9a-f]{64}$/, '0'.repeat(64));
  const lost = sampleContainer({ image: { ...image, digests: [digest] } });
  await expect(pullMissingImages(engine.docker, { containers: [lost] })).rejects.toMatchObject({
    code: 'image-unknown',
    hint: expect.stringContaining(`docker pull ${digest}`),
  });
});
