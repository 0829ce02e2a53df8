import type { Abortable } from '@holdfast/base';
import type { Attachment } from './attachment.ts';
import type { ContainerFile, ContainerPathStat } from './container-file.ts';
import type {
  Container,
  ContainerSummary,
  EngineEvent,
  EngineInfo,
  FilesystemChange,
  Image,
  Network,
  RestartPolicy,
  Volume,
} from './engine-objects.ts';
import type { ExecOptions, ExecSession } from './exec-session.ts';
import type { JsonObject } from './json-object.ts';

/**
 * The Docker Engine as Holdfast sees it.
 *
 * Every call has a time-out of its own and takes a signal. Failures of every call:
 * - `docker-unreachable`: no connection, a broken one, or no answer in time; the call may or may not have had its effect
 * - `container-unknown`, `volume-unknown`, `network-unknown`: the object named does not exist
 * - `docker-refused`: any other refusal; `context.engineMessage` is the engine's own text
 * - `interrupted`: the signal fired; the call may or may not have had its effect
 *
 * Objects are named by id or by name. Nothing is retried here.
 */
export interface DockerEngine {
  /** As given to `connectDocker`. */
  readonly host: string;
  /** The version of the API that is spoken on this connection, such as `1.41`. */
  readonly apiVersion: string;
  readonly containers: ContainerCalls;
  readonly volumes: VolumeCalls;
  readonly networks: NetworkCalls;
  readonly images: ImageCalls;
  ping(options?: Abortable): Promise<void>;
  info(options?: Abortable): Promise<EngineInfo>;
  /** Listening has begun when the promise resolves: no later event is missed. */
  openEvents(options?: EventOptions): Promise<EventStream>;
}

export interface EventOptions extends Abortable {
  /** Only events of these types; all when left out. */
  readonly types?: readonly string[];
  /** Only events with these actions; all when left out. */
  readonly actions?: readonly string[];
}

/**
 * Iterable once. Ends with `interrupted` when the signal fires, with `docker-unreachable` when the engine goes away;
 * leaving the loop or disposing closes the connection.
 */
export interface EventStream extends AsyncIterable<EngineEvent>, AsyncDisposable {}

export interface ContainerListOptions extends Abortable {
  /** Only containers that carry all of these: `name` or `name=value`. */
  readonly labels?: readonly string[];
}

export interface NewContainer {
  readonly name?: string;
  /** An image that the engine has: name or id. */
  readonly image: string;
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly NewMount[];
  readonly restartPolicy?: RestartPolicy;
  /** `NAME=value` */
  readonly environment?: readonly string[];
  /** Has a standard input, which ends when whoever was attached to it first goes away. */
  readonly takesInput?: boolean;
  /** The engine removes it as soon as it has ended. */
  readonly removesItself?: boolean;
  /** Default: no network at all. */
  readonly networkMode?: string;
  /** Default: as every container. */
  readonly sandbox?: NewSandbox;
}

/** What a container may do beyond its own files, where that differs from what every container may. */
export interface NewSandbox {
  /** Instead of the engine's own: `DAC_READ_SEARCH`, … */
  readonly capabilities: readonly string[];
  /** It sees the processes of the engine's machine, under their own numbers. */
  readonly sharesPids: boolean;
  readonly hostName?: string;
  /** It may write to its own files, which last as long as the container does; else only to a `/tmp` in memory. */
  readonly keepsFiles?: boolean;
}

export type NewMount =
  | {
      readonly type: 'volume';
      readonly volumeName: string;
      readonly destination: string;
      readonly readOnly: boolean;
      /** False: an empty volume stays empty, whatever the image has at the destination. */
      readonly copyImageContent: boolean;
    }
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly destination: string;
      readonly readOnly: boolean;
    }
  | { readonly type: 'tmpfs'; readonly destination: string };

export interface ContainerCalls {
  /** All containers, whatever their state. */
  list(options?: ContainerListOptions): Promise<ContainerSummary[]>;
  inspect(container: string, options?: Abortable): Promise<Container>;
  /** All that the engine tells about it, in the engine's own words. */
  describe(container: string, options?: Abortable): Promise<JsonObject>;
  /** Creates without starting. Answers the id. */
  create(container: NewContainer, options?: Abortable): Promise<string>;
  /** As `create`, from a body in the engine's own words, `HostConfig` and `NetworkingConfig` among them. */
  createAsDescribed(name: string, body: JsonObject, options?: Abortable): Promise<string>;
  /** Fails with `docker-refused` where another container has that name. */
  rename(container: string, name: string, options?: Abortable): Promise<void>;
  /** Kills it if it runs, and removes its anonymous volumes, unless they are to be kept. */
  remove(
    container: string,
    options?: Abortable & { readonly keepsAnonymousVolumes?: boolean },
  ): Promise<void>;
  /** A container that runs already is left as it is. */
  start(container: string, options?: Abortable): Promise<void>;
  /** Asks it to end, and kills it after `graceSeconds`. A container that is stopped already is left as it is. */
  stop(container: string, options: Abortable & { readonly graceSeconds: number }): Promise<void>;
  pause(container: string, options?: Abortable): Promise<void>;
  unpause(container: string, options?: Abortable): Promise<void>;
  setRestartPolicy(container: string, policy: RestartPolicy, options?: Abortable): Promise<void>;
  /**
   * One regular file of a container, which need not run. `undefined` where nothing is at the path; links are not
   * followed. `docker-refused` for anything that is no regular file or is larger than `maxBytes` (default 1 MiB).
   */
  readFile(
    container: string,
    path: string,
    options?: Abortable & { readonly maxBytes?: number },
  ): Promise<ContainerFile | undefined>;
  /** What is at a path of a container, which need not run; `undefined` where nothing is. Links are not followed. */
  stat(container: string, path: string, options?: Abortable): Promise<ContainerPathStat | undefined>;
  /** What differs from the image outside of mounts, as a stream: there may be hundreds of thousands. */
  changes(container: string, options?: Abortable): AsyncIterable<FilesystemChange>;
  exec(container: string, options: ExecOptions): Promise<ExecSession>;
  /** Connects to its standard streams, which need not be there yet: before it is started, nothing of them is missed. */
  attach(container: string, options?: Abortable): Promise<Attachment>;
  /** Waits until it has ended and is removed, however long that takes, and answers its exit status. */
  waitUntilRemoved(container: string, options?: Abortable): Promise<number>;
}

export interface VolumeCalls {
  list(options?: Abortable): Promise<Volume[]>;
  inspect(volume: string, options?: Abortable): Promise<Volume>;
  /**
   * Creates a volume by exactly this name, driver, labels and options. Where one of that name and driver is, the
   * engine answers with that one as it is: compare labels and options.
   */
  create(volume: Omit<Volume, 'mountpoint'>, options?: Abortable): Promise<Volume>;
  remove(volume: string, options?: Abortable): Promise<void>;
}

export interface NetworkCalls {
  list(options?: Abortable): Promise<Network[]>;
  inspect(network: string, options?: Abortable): Promise<Network>;
  /** Answers the id. `docker-refused` where one of that name is, or where a subnet is taken. */
  create(network: Omit<Network, 'id'>, options?: Abortable): Promise<string>;
  /** `docker-refused` while a container that runs is connected to it. */
  remove(network: string, options?: Abortable): Promise<void>;
  /** `endpoint` in the engine's own words: `Aliases`, `IPAMConfig`, …; what is left out the engine chooses. */
  connect(
    network: string,
    options: Abortable & { readonly container: string; readonly endpoint: JsonObject },
  ): Promise<void>;
}

export interface ImageCalls {
  list(options?: Abortable): Promise<Omit<Image, 'declaredVolumes' | 'variables'>[]>;
  /** `undefined` when the engine has no such image. */
  inspect(image: string, options?: Abortable): Promise<Image | undefined>;
  /**
   * The image as `docker save` writes it, piece by piece, as fast as they are taken. By id the archive names no tags. Ends
   * only where the archive does; `docker-refused` where it breaks off.
   */
  save(image: string, options?: Abortable): AsyncIterable<Uint8Array>;
  /**
   * Takes in all images of such an archive, under the ids and names that they have there. What the archive throws is passed
   * on.
   */
  load(archive: AsyncIterable<Uint8Array>, options?: Abortable): Promise<void>;
  /**
   * Has the engine fetch an image from its registry, as anybody may: `shop/web@sha256:…`. `docker-refused` where the registry
   * does not give it, or cannot be reached.
   */
  pull(digest: string, options?: Abortable): Promise<void>;
  /** Gives an image a further name, `shop/web:latest`, which another one loses by it. */
  tag(image: string, name: string, options?: Abortable): Promise<void>;
}
