import { expect, test } from 'vitest';
import { sampleContainer, sampleModel } from '../testing/sample-model.ts';
import { minimumResources, resourcesOf, withResources } from './resources.ts';

const unlimited = resourcesOf({ hostConfig: {} });
const limited = sampleModel({
  containers: [
    sampleContainer({
      hostConfig: { NanoCpus: 5, Memory: 7, PidsLimit: null, Binds: ['a:/a'], KernelMemory: 0 },
    }),
    sampleContainer({ name: 'shop-db-1', component: 'db', hostConfig: { CpuQuota: 9 } }),
  ],
});
const parent = sampleModel({ containers: [sampleContainer({ hostConfig: { CpuShares: 3 } })] });

test('are read from a container, with 0 for no limit', () => {
  expect(Object.values(unlimited).every((value) => value === 0)).toBe(true);
  expect(limited.containers.map(resourcesOf)).toEqual([
    { ...unlimited, NanoCpus: 5, Memory: 7 },
    { ...unlimited, CpuQuota: 9 },
  ]);
});

test.each([
  ['backup', { from: 'backup' } as const, limited.containers.map(resourcesOf)],
  ['default', { from: 'default' } as const, [unlimited, unlimited]],
  ['minimum', { from: 'minimum' } as const, [minimumResources, minimumResources]],
  ['parent', { from: 'parent', parent } as const, [{ ...unlimited, CpuShares: 3 }, unlimited]],
])('are chosen: %s', (_, choice, expected) => {
  const chosen = withResources(limited, choice);
  expect(chosen.containers.map(resourcesOf)).toEqual(expected);
  expect(chosen.containers[0]?.hostConfig).toMatchObject({ Binds: ['a:/a'] });
  expect(limited.containers[0]?.hostConfig).toMatchObject({ NanoCpus: 5 });
});
