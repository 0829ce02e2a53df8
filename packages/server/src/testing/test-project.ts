import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isHoldfastError } from '@holdfast/base';
import { connectDocker, type DockerEngine, type NewMount, type RestartPolicy } from '@holdfast/docker';

export interface TestService {
  /** Shell; sleeps when left out. */
  readonly script?: string;
  readonly mounts?: readonly NewMount[];
  readonly restart?: RestartPolicy['name'];
  readonly labels?: Readonly<Record<string, string>>;
  readonly isStarted?: boolean;
}

/** Containers and volumes on one engine with the labels that Compose gives; removed at the end. */
export interface TestProject extends AsyncDisposable {
  readonly docker: DockerEngine;
  /** Unique. */
  readonly name: string;
  readonly folder: string;
  /** Makes a volume as Compose does; answers its name. */
  volume(name: string, options?: Readonly<Record<string, string>>): Promise<string>;
  /** Where the volume is on this machine. */
  pathOf(volume: string): Promise<string>;
  /** Makes a container; answers its id. */
  service(name: string, service?: TestService): Promise<string>;
  /** Removes all containers and, with them, the volumes. */
  down(options?: { readonly volumes?: boolean }): Promise<void>;
}

/** Needs `script/testbed up docker images`. */
export async function openTestProject({
  host = required('DOCKER_HOST'),
  image = required('HOLDFAST_TEST_IMAGE'),
} = {}): Promise<TestProject> {
  const docker = await connectDocker({ host });
  const name = `hfserver-${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const containers: string[] = [];
  const volumes: string[] = [];

  async function down({ volumes: withVolumes = false } = {}): Promise<void> {
    for (const id of containers.splice(0)) {
      await quietly(docker.containers.unpause(id));
      await quietly(docker.containers.remove(id));
    }
    if (withVolumes) for (const volume of volumes.splice(0)) await quietly(docker.volumes.remove(volume));
  }

  return {
    docker,
    name,
    folder,
    volume: async (volume, options = {}) => {
      const full = `${name}_${volume}`;
      const labels = { 'com.docker.compose.project': name, 'com.docker.compose.volume': volume };
      await docker.volumes.create({ name: full, driver: 'local', labels, options });
      volumes.push(full);
      return full;
    },
    pathOf: async (volume) => (await docker.volumes.inspect(volume)).mountpoint,
    service: async (service, { script = 'sleep 1000', mounts = [], isStarted = true, ...more } = {}) => {
      const id = await docker.containers.create({
        name: `${name}-${service}-1`,
        image,
        command: ['sh', '-c', `trap 'exit 0' TERM; ${script} & wait`],
        labels: {
          'com.docker.compose.project': name,
          'com.docker.compose.service': service,
          'com.docker.compose.project.working_dir': folder,
          'com.docker.compose.oneoff': 'False',
          ...more.labels,
        },
        mounts,
        restartPolicy: { name: more.restart ?? 'no', maximumRetryCount: 0 },
      });
      containers.push(id);
      if (isStarted) await docker.containers.start(id);
      return id;
    },
    down,
    [Symbol.asyncDispose]: async () => {
      await down({ volumes: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function volumeMount(volumeName: string, destination: string): NewMount {
  return { type: 'volume', volumeName, destination, readOnly: false, copyImageContent: true };
}

export function bindMount(source: string, destination: string): NewMount {
  return { type: 'bind', source, destination, readOnly: false };
}

/** What is gone already is fine. */
async function quietly(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
  }
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  throw new Error(`${variable} is not set: eval "$(script/testbed up docker images)"`);
}
