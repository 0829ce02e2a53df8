import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/base';
import {
  type Container,
  copyImage,
  type DockerEngine,
  findOwnContainer,
  type GuardProgram,
  isContainerMountTable,
  type NewMount,
  type ProveBindsOptions,
  pathOnMachine,
  proveBinds,
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
  /**
   * The image of Holdfast that containers of an engine are made from. Where that engine lacks it, it gets it from the
   * server's own; undefined where neither has it.
   */
  image(docker: DockerEngine): Promise<string | undefined>;
  /** @throws HoldfastError `mount-needs-container` where there is none */
  requireImage(docker: DockerEngine): Promise<string>;
  /**
   * Whether containers of the engine can have what this server shares: a nonce of a kind, the time of a folder of its
   * own, is the same inside. A server in a container has that in its own engine alone.
   */
  canShareWith(docker: DockerEngine, options: Omit<ProveBindsOptions, 'paths'>): Promise<boolean>;
  /** Starts a guard's container, in the server's own engine, for containers of this one; undefined where a process does. */
  startGuardProgram(freezeId: string, docker: DockerEngine): Promise<GuardProgram | undefined>;
  /** In which network a container of the engine reaches what this server reaches; of another engine, what that reaches. */
  networkOf(docker: DockerEngine): Promise<string>;
  /** What gives a container a folder of this server, for reading and writing, under the same name. */
  share(path: string): Promise<NewMount>;
  /** @throws HoldfastError `usage-invalid` for a path that is gone with the server's own container */
  requireLasting(path: string): Promise<void>;
  /** As `share`, for something that is there and is no folder, such as a socket. */
  shareAsIs(path: string): Promise<NewMount>;
}

export interface ServerPlaceOptions {
  readonly connect: () => Promise<DockerEngine>;
  /** As configured; null: the one that the server itself runs from, else the one of the server's version. */
  readonly image: string | null;
  readonly version: string;
  /** Absolute path of a folder of this server. */
  readonly folder: string;
}

export function createServerPlace(options: ServerPlaceOptions): ServerPlace {
  const { connect, image: configured, version, folder } = options;
  const isInContainer = isContainerMountTable(readFileSync('/proc/self/mountinfo', 'utf8'));
  let found: { readonly own: Container | undefined } | undefined;

  async function own(): Promise<Container | undefined> {
    // A node that is not the server's own can be looked at while the server's own does not answer.
    found ??= { own: isInContainer ? await findOwnContainer(await connect()) : undefined };
    return found.own;
  }

  async function wanted(): Promise<string> {
    return configured ?? (await own())?.imageId ?? `holdfast:${version}`;
  }

  async function image(docker: DockerEngine): Promise<string | undefined> {
    const ownEngine = await connect();
    // Its id: what a tag names may change while a task is being prepared.
    const id = (await ownEngine.images.inspect(await wanted()))?.id;
    if (docker === ownEngine) return id;
    if (id === undefined) return (await docker.images.inspect(await wanted()))?.id;
    await copyImage(id, { from: ownEngine, to: docker });
    return id;
  }

  async function shareAsIs(path: string): Promise<NewMount> {
    const container = await own();
    if (container !== undefined) return shareWithContainer(container, path);
    return { type: 'bind', source: path, destination: path, readOnly: false };
  }

  return {
    isInContainer,
    connect,
    own,
    image,
    requireImage: async (docker) => {
      const id = await image(docker);
      if (id !== undefined) return id;
      throw noImage(await wanted());
    },
    canShareWith: async (docker, proving) => {
      if (docker === (await connect())) return true;
      if (isInContainer) return false;
      const proofs = await proveBinds(docker, { ...proving, paths: [folder] });
      return proofs.get(folder)?.proven === true;
    },
    startGuardProgram: async (freezeId, watched) => {
      const container = await own();
      if (container === undefined) return undefined;
      const docker = await connect();
      const socketPath = socketOf(container, watched);
      return runGuardContainer({ docker, image: container.imageId, socketPath, freezeId });
    },
    networkOf: async (docker) => {
      if (docker !== (await connect())) return 'bridge';
      const mode = isInContainer ? (await own())?.networkMode : 'host';
      return mode === undefined || mode === '' || mode === 'default' || mode === 'none' ? 'bridge' : mode;
    },
    share: async (path) => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      return await shareAsIs(path);
    },
    requireLasting: async (path) => {
      const container = await own();
      if (container === undefined || pathOnMachine(container, path) !== undefined) return;
      throw new HoldfastError(
        'usage-invalid',
        `${path} is in no folder that the server's container shares.`,
        {
          hint: 'Mount a folder of the machine, or a volume, there in compose.yaml, and start the server again.',
          context: { path },
        },
      );
    },
    shareAsIs,
  };
}

/** The engine's socket on its machine. */
function socketOf(own: Container, { host }: DockerEngine): string {
  const path = host.startsWith('unix://') ? host.slice('unix://'.length) : host;
  const onMachine = path.startsWith('/') ? pathOnMachine(own, path) : undefined;
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
