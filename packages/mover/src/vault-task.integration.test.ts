import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { taskSpecSchema } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { StartedMover } from './testing/started-mover.ts';
import { testPlace } from './testing/task-specs.ts';

test('a list has the repositories of a vault, also those that lie deeper, and nothing that only looks like one', async () => {
  await using place = await testPlace();
  const location = join(place.folder, 'vault');
  const make = (folder: string, ...files: readonly string[]) => {
    for (const file of files) {
      const path = join(location, folder, file);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, '');
    }
  };
  make('shop-0123', 'config', 'keys/a', 'data/00/a');
  make('torn', 'keys/a', 'snapshots/a');
  make('hosts/laptop', 'config', 'keys/a', 'data/00/a');
  make('by/year/2024', 'config', 'keys/a');
  make('by/year/2025/deep', 'config', 'keys/a');
  make('code/.git', 'config', 'objects/a');
  make('photos', 'data/a');
  make('music/old', 'data/a');
  const { repository: _, ...base } = place.prune();
  const task = { ...base, kind: 'vault', location, action: { kind: 'list' } };
  const mover = new StartedMover(taskSpecSchema.parse(task));
  mover.send({ type: 'go' });
  const { report } = await mover.sees('vault');
  expect(report).toEqual({
    kind: 'listed',
    marker: null,
    whole: ['shop-0123', 'hosts/laptop', 'by/year/2024'],
    broken: ['photos', 'torn'],
  });
});
