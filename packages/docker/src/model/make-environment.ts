import { type Abortable, HoldfastError } from '@holdfast/base';
import { composeLabels } from '../discovery/labels.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import type { ContainerSummary } from '../engine-port/engine-objects.ts';
import { toContainerBody } from './container-body.ts';
import { referencesOf } from './container-references.ts';
import type { ContainerModel, EnvironmentModel, MountedVolume } from './environment-model.ts';
import { chooseImage } from './image-choice.ts';
import { textsAt } from './json-access.ts';
import { createPartMaker, findMissingParts, type PartMaker } from './make-parts.ts';
import { refuseUnusableMark, setAside, settleReplaced } from './replaced-containers.ts';

type Docker = Pick<DockerEngine, 'containers' | 'networks' | 'volumes' | 'images'>;

export interface MakeEnvironmentOptions extends Abortable {
  /** Which work this is, in up to 64 letters, digits, hyphens and underscores: `settleReplaced` takes it. */
  readonly mark: string;
  /** Also networks and volumes that are not the environment's own. */
  readonly createExternal?: boolean;
  /** No container has a restart policy yet, so that the engine starts none by itself. */
  readonly isHeldBack?: boolean;
  /** Images to take, by the ids that the model has. */
  readonly images?: ReadonlyMap<string, string>;
  /**
   * The volume for a place where a container has one without a name. Where this says nothing it is that of the container
   * which is replaced, else the one that the model names.
   */
  readonly anonymousVolume?: (container: string, destination: string) => string | undefined;
}

export interface MadeEnvironment {
  /** By name, created and not started. */
  readonly containerIds: ReadonlyMap<string, string>;
  /** By name. */
  readonly madeVolumes: readonly string[];
  readonly madeNetworks: readonly string[];
  /** Removes what was made, volumes with whatever is in them by now, and gives the old containers their names back. */
  undo(): Promise<void>;
  /** Removes the old containers, and none of their volumes. */
  finish(): Promise<void>;
}

interface Plan {
  /** Each after those that it refers to. */
  readonly containers: readonly ContainerModel[];
  readonly replaced: readonly ContainerSummary[];
  /** By the container's name, then by the place. */
  readonly anonymousVolumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** By the model's image id. */
  readonly images: ReadonlyMap<string, string>;
}

/**
 * Makes what a model describes and an engine does not have: volumes, networks, and containers that are not started.
 * A container of the same name is set aside, and has to be stopped. Folders that are bound have to be there.
 *
 * For `docker compose up` with the same files nothing is to be done afterwards, but for services that share namespaces or
 * volumes of another by `service:`: Compose remembers the id of that one's container, and makes them anew.
 *
 * When it fails, everything is as before. When the process dies, `settleReplaced` brings the containers back or forward;
 * an empty volume or a network of the environment's own may stay.
 *
 * Fails with `image-unknown`, `network-unknown` or `volume-unknown` for what is missing and not to be made,
 * `code-refused` where another project's container has a name, `environment-busy` while one that is to be replaced runs, and as every call to the engine does.
 */
export async function makeEnvironment(
  docker: Docker,
  model: EnvironmentModel,
  options: MakeEnvironmentOptions,
): Promise<MadeEnvironment> {
  const { mark, signal } = options;
  refuseUnusableMark(mark);
  const plan = await planContainers(docker, model, options);
  refuseRunning(plan.replaced);
  const missing = await findMissingParts(docker, withUsedVolumes(model, plan), options);
  const parts = createPartMaker(docker, { signal });
  try {
    await parts.make(missing, model);
    for (const container of plan.replaced) await setAside(docker, container, { mark, signal });
    const containerIds = await createContainers(docker, plan, options);
    return {
      containerIds,
      madeVolumes: missing.volumes.map(({ name }) => name),
      madeNetworks: missing.networks.map(({ name }) => name),
      undo: () => undo(docker, parts, mark),
      finish: () => settleReplaced(docker, { mark, direction: 'forward' }),
    };
  } catch (error) {
    await undo(docker, parts, mark);
    throw error;
  }
}

/**
 * Finds out beforehand what `makeEnvironment` would fail for: `image-unknown`, `network-unknown`, `volume-unknown`. What
 * runs may run on, and nothing is made. Answers by which name the engine has the image of each container.
 */
export async function requireMakeable(
  docker: Docker,
  model: EnvironmentModel,
  options: Omit<MakeEnvironmentOptions, 'mark'>,
): Promise<ReadonlyMap<string, string>> {
  const plan = await planContainers(docker, model, options);
  await findMissingParts(docker, withUsedVolumes(model, plan), options);
  return new Map(model.containers.map(({ name, image }) => [name, plan.images.get(image.id) ?? image.id]));
}

/** Takes no signal: whoever gives up wants it all the more. */
async function undo(docker: Docker, parts: PartMaker, mark: string): Promise<void> {
  await settleReplaced(docker, { mark, direction: 'back' });
  await parts.undo();
}

/** Looks at everything that may be refused, and changes nothing. */
async function planContainers(
  docker: Docker,
  model: EnvironmentModel,
  { images: given, anonymousVolume, signal }: Omit<MakeEnvironmentOptions, 'mark'>,
): Promise<Plan> {
  const names = new Set(model.containers.map(({ name }) => name));
  const replaced = (await docker.containers.list({ signal })).filter(({ name }) => names.has(name));
  refuseForeign(replaced, model);
  const images = new Map(given);
  for (const { image } of model.containers) {
    if (!images.has(image.id)) images.set(image.id, await chooseImage(docker, image, { signal }));
  }
  const anonymousVolumes = new Map<string, ReadonlyMap<string, string>>();
  for (const container of model.containers) {
    const old = replaced.find(({ name }) => name === container.name);
    const oldVolumes = old === undefined ? [] : (await docker.containers.inspect(old.id, { signal })).mounts;
    const volumes = unnamedVolumes(container, model).map(({ name, destination }) => {
      const kept = oldVolumes.find((mount) => mount.destination === destination)?.volumeName;
      return [destination, anonymousVolume?.(container.name, destination) ?? kept ?? name] as const;
    });
    anonymousVolumes.set(container.name, new Map(volumes));
  }
  return { containers: referredFirst(model.containers), replaced, anonymousVolumes, images };
}

/** A volume without a name is only made for a place that has no other instead. */
function withUsedVolumes(model: EnvironmentModel, { anonymousVolumes }: Plan): EnvironmentModel {
  const used = new Set([...anonymousVolumes.values()].flatMap((volumes) => [...volumes.values()]));
  return {
    ...model,
    volumes: model.volumes.filter(({ name, isAnonymous }) => !isAnonymous || used.has(name)),
  };
}

function refuseRunning(containers: readonly ContainerSummary[]): void {
  const running = containers.filter(({ status }) => !['created', 'exited', 'dead'].includes(status));
  if (running.length === 0) return;
  const names = running.map(({ name }) => name);
  throw new HoldfastError('environment-busy', `What is to be replaced still runs: ${names.join(', ')}.`, {
    hint: 'Stop it first.',
    context: { names },
  });
}

/** A name is free for whoever comes first: what has it now may be another app. */
function refuseForeign(containers: readonly ContainerSummary[], { project }: EnvironmentModel): void {
  const foreign = containers.filter(
    ({ labels }) => project !== null && labels[composeLabels.project] !== project,
  );
  if (foreign.length === 0) return;
  const names = foreign.map(({ name }) => name);
  throw new HoldfastError('code-refused', `Containers of others have the names ${names.join(', ')}.`, {
    hint: 'Rename or remove them first (docker rename), or restore the data alone: --no-code.',
    context: { names },
  });
}

/** Without those that it takes over from another container. */
function unnamedVolumes(container: ContainerModel, { containers }: EnvironmentModel): MountedVolume[] {
  const sources = textsAt(container.hostConfig, 'VolumesFrom').map((text) => text.split(':')[0]);
  const takenOver = containers.filter(({ name }) => sources.includes(name)).flatMap(({ volumes }) => volumes);
  return container.volumes.filter(
    ({ name, destination, isAnonymous }) =>
      isAnonymous && !takenOver.some((other) => other.name === name && other.destination === destination),
  );
}

/** A circle cannot be, as the engine takes no name that is not there yet; one in a model is left to the engine to refuse. */
function referredFirst(containers: readonly ContainerModel[]): ContainerModel[] {
  const ordered: ContainerModel[] = [];
  const seen = new Set<ContainerModel>();
  const visit = (container: ContainerModel): void => {
    if (seen.has(container)) return;
    seen.add(container);
    const references = new Set(referencesOf(container.hostConfig));
    for (const other of containers) if (references.has(other.name)) visit(other);
    ordered.push(container);
  };
  for (const container of containers) visit(container);
  return ordered;
}

async function createContainers(
  docker: Docker,
  { containers, anonymousVolumes, images }: Plan,
  { mark, isHeldBack = false, signal }: MakeEnvironmentOptions,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const container of containers) {
    const { body, connections } = toContainerBody(container, {
      image: images.get(container.image.id) ?? container.image.reference,
      mark,
      idOf: (name) => ids.get(name) ?? name,
      anonymousVolumes: anonymousVolumes.get(container.name) ?? new Map(),
      isHeldBack,
    });
    const id = await docker.containers.createAsDescribed(container.name, body, { signal });
    ids.set(container.name, id);
    for (const { network, endpoint } of connections) {
      await docker.networks.connect(network, { container: id, endpoint, signal });
    }
  }
  return ids;
}
