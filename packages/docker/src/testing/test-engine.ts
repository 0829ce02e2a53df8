import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { connectDocker } from '../engine-port/connect-docker.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';

export interface RunOptions {
  /** Default: sleeps. */
  readonly command?: readonly string[];
  readonly labels?: Record<string, string>;
  /** `volume-or-path:/path[:ro]` */
  readonly binds?: readonly string[];
  readonly declaredVolumes?: readonly string[];
  readonly restart?: string;
  readonly isStarted?: boolean;
}

/** A real engine, and what a test makes in it: all of that is removed at the end. */
export interface TestEngine extends AsyncDisposable {
  readonly docker: DockerEngine;
  readonly host: string;
  readonly image: string;
  /** Unique: to put into names. */
  readonly tag: string;
  /** A folder for the test's files. */
  readonly folder: string;
  run(options?: RunOptions): Promise<string>;
  createVolume(name: string, extra?: { options?: Record<string, string> }): Promise<string>;
}

/** Needs `script/testbed up docker images`. */
export async function openTestEngine(): Promise<TestEngine> {
  const host = required('DOCKER_HOST');
  const image = required('HOLDFAST_TEST_IMAGE');
  const dockerode = new Dockerode({ socketPath: host.slice('unix://'.length) });
  const docker = await connectDocker({ host });
  const tag = `hftest-${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), `${tag}-`));
  const containers: string[] = [];
  const volumes: string[] = [];
  return {
    docker,
    host,
    image,
    tag,
    folder,
    async run({ command = ['sleep', '1000'], isStarted = true, ...options } = {}) {
      const container = await dockerode.createContainer({
        name: `${tag}-${containers.length}`,
        Image: image,
        Cmd: [...command],
        Labels: options.labels ?? {},
        StopSignal: 'SIGKILL',
        Volumes: Object.fromEntries((options.declaredVolumes ?? []).map((path) => [path, {}])),
        HostConfig: {
          NetworkMode: 'none',
          Binds: [...(options.binds ?? [])],
          RestartPolicy: { Name: options.restart ?? 'no' },
        },
      });
      containers.push(container.id);
      if (isStarted) await container.start();
      return container.id;
    },
    async createVolume(name, { options = {} } = {}) {
      const volume = { name: `${tag}-${name}`, driver: 'local', labels: {}, options };
      await docker.volumes.create(volume);
      volumes.push(volume.name);
      return volume.name;
    },
    async [Symbol.asyncDispose]() {
      for (const id of containers) {
        await docker.containers.unpause(id).catch(() => {});
        await docker.containers.remove(id).catch(() => {});
      }
      for (const name of volumes) await docker.volumes.remove(name).catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: eval "$(script/testbed up docker images)"`);
  }
  return value;
}
