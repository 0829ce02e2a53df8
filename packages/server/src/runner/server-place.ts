import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/base';
import {
  type Container,
  type DockerEngine,
  findOwnContainer,
  type GuardProgram,
  isContainerMountTable,
  type NewMount,
  pathOnMachine,
  runGuardContainer,
  shareWithContainer,
} from '@holdfast/docker';

/** Where this server runs, and what containers that it starts need to know of that. */
export interface ServerPlace {
  readonly isInContainer: boolean;
  /** @throws HoldfastError `docker-unreachable` */
  connect(): Promise<DockerEngine>;
  /** The container that the server runs in; undefined where it runs in none. @throws as `findOwnContainer` */
  own(): Promise<Container | undefined>;
  /** The image of Holdfast that containers are made from; undefined where the engine has none. */
  image(): Promise<string | undefined>;
  /** @throws HoldfastError `mount-needs-container` where the engine has none */
  requireImage(): Promise<string>;
  /** Starts a guard's container; undefined where a process does. */
  startGuardProgram(freezeId: string): Promise<GuardProgram | undefined>;
  /** What gives a container a folder of this server, for reading and writing, under the same name. */
  share(path: string): Promise<NewMount>;
  /** The same for something that is there and is no folder, such as a socket. */
  shareAsIs(path: string): Promise<NewMount>;
}

export interface ServerPlaceOptions {
  readonly connect: () => Promise<DockerEngine>;
  /** As configured; null: the one that the server itself runs from, else the one of the server's version. */
  readonly image: string | null;
  readonly version: string;
}

export function createServerPlace({ connect, image: configured, version }: ServerPlaceOptions): ServerPlace {
  let found: { readonly own: Container | undefined } | undefined;

  async function own(): Promise<Container | undefined> {
    found ??= { own: await findOwnContainer(await connect()) };
    return found.own;
  }

  async function wanted(): Promise<string> {
    return configured ?? (await own())?.imageId ?? `holdfast:${version}`;
  }

  async function image(): Promise<string | undefined> {
    const { images } = await connect();
    // Its id: what a tag names may change while a task is being prepared.
    return (await images.inspect(await wanted()))?.id;
  }

  async function shareAsIs(path: string): Promise<NewMount> {
    const container = await own();
    if (container !== undefined) return shareWithContainer(container, path);
    return { type: 'bind', source: path, destination: path, readOnly: false };
  }

  return {
    isInContainer: isContainerMountTable(readFileSync('/proc/self/mountinfo', 'utf8')),
    connect,
    own,
    image,
    requireImage: async () => {
      const id = await image();
      if (id !== undefined) return id;
      throw noImage(await wanted());
    },
    startGuardProgram: async (freezeId) => {
      const container = await own();
      if (container === undefined) return undefined;
      const docker = await connect();
      const socketPath = socketOf(container, docker);
      return runGuardContainer({ docker, image: container.imageId, socketPath, freezeId });
    },
    share: async (path) => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      return await shareAsIs(path);
    },
    shareAsIs,
  };
}

/** The engine's socket on its machine. */
function socketOf(own: Container, { host }: DockerEngine): string {
  const path = host.slice('unix://'.length);
  const onMachine = pathOnMachine(own, path);
  if (onMachine !== undefined) return onMachine;
  throw new HoldfastError('configuration-invalid', `${path} is no file of the engine's machine.`, {
    hint: "Mount Docker's socket into the container of the server, as compose.yaml does.",
    context: { path },
  });
}

function noImage(name: string): HoldfastError {
  return new HoldfastError(
    'mount-needs-container',
    `This needs a mover container, and the Docker Engine has no image ${name} to make one from.`,
    {
      hint: 'Build it with script/image or load it with docker load, or name another with the setting image (HOLDFAST_IMAGE).',
      context: { image: name },
    },
  );
}
