import { HoldfastError, isHoldfastError } from '@holdfast/base';
import { connectDocker } from '@holdfast/docker';
import {
  asId,
  findNode,
  type LockedRepository,
  openToRead,
  readFileContent,
  type TreeId,
  toByteString,
} from '@holdfast/engine';
import { type CodeTask, type EnvironmentModel, environmentModelSchema } from '@holdfast/protocol';
import type { PhaseProgress } from './phase-progress.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/** A model of a thousand containers is a fraction of this. */
const maxModelBytes = 32 * 2 ** 20;

type Node = Awaited<ReturnType<typeof findNode>>;
type ImagePart = CodeTask['images'][number];

/** Tells what an environment was made of, and loads the images that no registry has. What Docker has by now stays. */
export async function runCodeTask(task: CodeTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(task.repository, waitingForLock(context));
  context.described({
    model: await readModel(task.treeId, locked),
    hasProject: (await nodeAt(task.treeId, ['data', 'project'], locked)) !== undefined,
    singleFiles: await singleFilesOf(task, locked),
  });
  const loading = context.phase('load images');
  loading.expect({
    files: task.images.length,
    bytes: task.images.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  for (const image of task.images) {
    await load(image, locked, loading);
    context.info(`Loaded ${image.name}`);
  }
}

async function readModel(treeId: string, locked: LockedRepository): Promise<EnvironmentModel> {
  const node = await nodeAt(treeId, ['data', 'model.json'], locked);
  if (node?.type !== 'file') throw unusableModel('it has none');
  if (node.size > maxModelBytes) throw unusableModel('it is far too large');
  const text = Buffer.concat(await Array.fromAsync(contentOf(node, locked))).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw unusableModel('it is no JSON');
  }
  const parsed = environmentModelSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  // A path says where; a value may be a secret.
  const [issue] = parsed.error.issues;
  throw unusableModel(`${issue?.path.join('.') ?? 'something'} in it is not as it has to be`);
}

async function singleFilesOf({ binds }: CodeTask, locked: LockedRepository): Promise<string[]> {
  const names: string[] = [];
  for (const { name, treeId } of binds) {
    const node = await nodeAt(treeId, ['data'], locked);
    if (node !== undefined && node.type !== 'dir') names.push(name);
  }
  return names;
}

async function load(
  { name, treeId, imageId, reference, dockerHost }: ImagePart,
  locked: LockedRepository,
  loading: PhaseProgress,
): Promise<void> {
  const node = await nodeAt(treeId, ['data'], locked);
  if (node?.type !== 'file') throw unusableImage(name);
  const progress = loading.part(name);
  const { images } = await connectDocker({ host: dockerHost, signal: locked.signal });
  let bytes = 0;
  const archive = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of contentOf(node, locked)) {
      yield chunk;
      bytes += chunk.length;
      progress.report({ files: 0, bytes });
    }
  };
  await images.load(archive(), { signal: locked.signal });
  if ((await images.inspect(imageId, { signal: locked.signal })) === undefined) throw unusableImage(name);
  // Saved by its id, it has no name; one that is taken stays with whoever has it.
  if ((await images.inspect(reference, { signal: locked.signal })) === undefined)
    await images.tag(imageId, reference, { signal: locked.signal });
  progress.report({ files: 1, bytes });
}

function contentOf(node: Node, { repository, signal }: LockedRepository): AsyncGenerator<Uint8Array> {
  return readFileContent({ blobs: repository.blobs, node, signal });
}

async function nodeAt(
  treeId: string,
  path: readonly [string, ...string[]],
  { repository, signal }: LockedRepository,
): Promise<Node | undefined> {
  const [top, ...rest] = path;
  const names = [toByteString(top), ...rest.map((name) => toByteString(name))] as const;
  try {
    return await findNode(repository.blobs, asId<TreeId>(treeId), names, { signal });
  } catch (error) {
    if (isHoldfastError(error, 'path-unknown')) return undefined;
    throw error;
  }
}

function unusableModel(reason: string): HoldfastError {
  return new HoldfastError('code-unusable', `What the environment was made of cannot be told: ${reason}.`, {
    hint: 'Make its containers with Compose (docker compose create), and restore the data: --no-code.',
  });
}

function unusableImage(name: string): HoldfastError {
  return new HoldfastError('code-unusable', `The part ${name} is no image.`, {
    hint: 'Load the image yourself (docker load, docker build), and restore again.',
    context: { part: name },
  });
}
