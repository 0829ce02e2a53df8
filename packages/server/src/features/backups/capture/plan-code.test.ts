import { expect, test } from 'vitest';
import { sealedPart } from '../../../testing/fixtures.ts';
import { imagesWithoutRegistry } from './plan-code.ts';

type Containers = Parameters<typeof imagesWithoutRegistry>[0]['containers'];

function container(
  component: string,
  id: string,
  reference: string,
  digests: string[] = [],
): Containers[number] {
  const image = { id, reference, digests };
  const nothing = { config: {}, hostConfig: {}, endpoints: {}, volumes: [] };
  return { name: `${component}-1`, component, image, isRunning: true, ...nothing };
}

const containers = [
  container('web', 'sha256:1', 'shop/web'),
  container('worker', 'sha256:1', 'shop/web'),
  container('old', 'sha256:0', 'shop/web'),
  container('db', 'sha256:2', 'postgres:17', ['postgres@sha256:9']),
];

function images(components: string[] | null, lastParts = new Map(), taken: string[] = []) {
  const chosen = imagesWithoutRegistry({ containers }, { components, lastParts, taken: new Set(taken) });
  return chosen.map(({ name, source, known }) => [name, source.imageId, source.components, known] as const);
}

test('each image without a digest is a part once, with a name of its own', () => {
  expect(images(null)).toEqual([
    ['image:shop/web', 'sha256:1', ['web', 'worker'], null],
    ['image:shop/web:2', 'sha256:0', ['old'], null],
  ]);
  expect(images(['worker'], undefined, ['image:shop/web'])).toEqual([
    ['image:shop/web:2', 'sha256:1', ['worker'], null],
  ]);
  expect(images(['db'])).toEqual([]);
});

test('one that an earlier backup has is known by its id, whatever it was called then', () => {
  const source = { kind: 'image' as const, imageId: 'sha256:0', reference: 'shop/web', components: ['web'] };
  const part = { ...sealedPart('image:shop/web', 5), source };
  const known = { snapshotId: part.snapshotId, treeId: part.treeId };
  expect(images(null, new Map([[part.name, part]])).map((image) => image[3])).toEqual([null, known]);
});
