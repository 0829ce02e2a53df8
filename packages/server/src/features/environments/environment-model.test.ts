import type { EnvironmentModel } from '@holdfast/docker';
import { environmentModelSchema, type EnvironmentModel as WrittenModel } from '@holdfast/protocol';
import { expect, test } from 'vitest';

test('a model is the same to the engine’s side and to what is read back from a backup', () => {
  const model: EnvironmentModel = {
    version: 1,
    engine: { version: '28.0.0', architecture: 'x86_64', os: 'linux' },
    project: 'shop',
    folder: null,
    containers: [],
    networks: [],
    volumes: [],
    composeDifferences: { web: ['image'] },
  };
  // Either way, as types: what one has the other has too.
  const written: Required<WrittenModel> = model;
  const readBack: Required<EnvironmentModel> = environmentModelSchema.parse(
    JSON.parse(JSON.stringify(written)),
  );
  expect(readBack).toEqual(model);
});
