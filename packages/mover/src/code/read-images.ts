import { isHoldfastError } from '@holdfast/base';
import { connectDocker } from '@holdfast/docker';
import {
  asId,
  backupSources,
  findNode,
  type LockedRepository,
  type TreeId,
  toByteString,
} from '@holdfast/engine';
import type { BackupTask } from '@holdfast/protocol';
import type { PartResult, SavedPart, WritingTask } from '../capture/part.ts';
import type { PhaseProgress } from '../phase-progress.ts';

type ImageTask = BackupTask['images'][number];

const memoryBytes = 32 * 1024 * 1024;

/**
 * Saves images, one after the other, each as the one file that `docker save` makes of it. One that an earlier backup has
 * is taken over from there: under the same id it is the same image.
 * @throws HoldfastError what `ImageCalls.save` throws
 */
export async function readImages(writing: WritingTask, progress: PhaseProgress): Promise<SavedPart[]> {
  const saved: SavedPart[] = [];
  for (const image of writing.task.images) {
    saved.push((await takeOver(image, writing)) ?? (await readImage(image, writing, progress)));
  }
  return saved;
}

async function readImage(
  { name, source, dockerHost }: ImageTask,
  { context, locked: { repository, signal }, writer }: WritingTask,
  progress: PhaseProgress,
): Promise<SavedPart> {
  const { images } = await connectDocker({ host: dockerHost, signal });
  const startedAtMs = context.clock.now();
  const modifiedAt = { seconds: 0, nanoseconds: 0 };
  const result = await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources: [],
    streams: [{ stream: images.save(source.imageId, { signal }), treePath: ['data'], modifiedAt }],
    options: { memoryBytes },
    progress: progress.part(name),
    signal,
  });
  return { spec: { name, source, mountPoints: [] }, startedAtMs, previousId: undefined, result };
}

async function takeOver(
  { name, source, known }: ImageTask,
  { context, locked }: WritingTask,
): Promise<SavedPart | undefined> {
  const result = known === null ? undefined : await resultOf(known, locked);
  if (known === null || result === undefined) return undefined;
  context.info(`${name}: the image is in an earlier backup already`);
  const spec = { name, source, mountPoints: [] };
  return { spec, startedAtMs: context.clock.now(), previousId: asId(known.snapshotId), result };
}

/** Undefined unless the repository has all of it. */
async function resultOf(
  { snapshotId, treeId: tree }: NonNullable<ImageTask['known']>,
  { repository, signal }: LockedRepository,
): Promise<PartResult | undefined> {
  const { blobs } = repository;
  const treeId = asId<TreeId>(tree);
  try {
    if ((await repository.snapshots.find(snapshotId, { signal })).tree !== treeId) return undefined;
    const { type, size, content } = await findNode(blobs, treeId, [toByteString('data')], { signal });
    if (type !== 'file' || content?.every((id) => blobs.hasBlob('data', id)) !== true) return undefined;
    const summary = { files: 1, bytes: size, storedBytes: 0, unsteadyFiles: 0 };
    return { treeId, summary, warnings: [], warningCount: 0 };
  } catch (error) {
    const isGone = isHoldfastError(
      error,
      ...([
        'snapshot-unknown',
        'repository-damaged',
        'path-unknown',
        'blob-missing',
        'blob-damaged',
      ] as const),
    );
    if (isGone) return undefined;
    throw error;
  }
}
