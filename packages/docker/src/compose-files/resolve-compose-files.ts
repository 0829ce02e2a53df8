import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import { composeLabels, labelList } from '../discovery/labels.ts';
import { isJsonObject, type JsonObject } from '../engine-port/json-object.ts';
import type { EnvironmentModel } from '../model/environment-model.ts';
import { objectAt } from '../model/json-access.ts';

const timeoutMs = 10_000;
const mostOutputBytes = 16 * 1024 * 1024;
const mostMemoryKibibytes = 4 * 1024 * 1024;

/** Where the `docker` command has its plugins. */
const pluginFolders = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
];

/** What a Compose project was made from, on the engine's machine. */
export interface ComposeFiles {
  readonly project: string;
  readonly folder: string;
  /** Absolute, as all paths here; in the order in which they override each other. */
  readonly files: readonly string[];
  readonly environmentFiles: readonly string[];
}

/** As the containers' labels have it; undefined where they name no files. */
export function composeFilesOf({
  project,
  folder,
  containers,
}: Pick<EnvironmentModel, 'project' | 'folder' | 'containers'>): ComposeFiles | undefined {
  if (project === null || folder === null) return undefined;
  const listed = (name: string): string[] => {
    const all = containers.flatMap(({ config }) => labelList(textsOf(objectAt(config, 'Labels')), name));
    return [...new Set(all)].map((file) => join(file.startsWith('/') ? '/' : folder, file));
  };
  const files = listed(composeLabels.configFiles);
  const environmentFiles = listed(composeLabels.environmentFiles);
  return files.length === 0 ? undefined : { project, folder, files, environmentFiles };
}

/** Docker Compose on this machine: a plugin of the `docker` command, or a program of its own in `PATH`. */
export async function findCompose(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const { DOCKER_CONFIG, PATH = '' } = environment;
  const folders = [
    join(DOCKER_CONFIG ?? join(homedir(), '.docker'), 'cli-plugins'),
    ...pluginFolders,
    ...PATH.split(':').filter((folder) => folder.startsWith('/')),
  ];
  for (const folder of folders) {
    const program = join(folder, 'docker-compose');
    if (await isExecutable(program)) return program;
  }
  return undefined;
}

/**
 * What `docker compose config` makes of the files, or a clause that says why it makes nothing of them. The program gets no
 * variable of this process, so those that came from somebody's shell are missing; it fetches nothing and runs nothing of
 * the project. It is killed after 10 s.
 */
export async function resolveComposeFiles(
  program: string,
  { project, folder, files, environmentFiles }: ComposeFiles,
  { signal }: Abortable = {},
): Promise<JsonObject | string> {
  const args = [
    ...['--project-name', project, '--project-directory', folder],
    ...files.flatMap((file) => ['--file', file]),
    ...environmentFiles.flatMap((file) => ['--env-file', file]),
    ...['--profile', '*', 'config', '--format', 'json'],
  ];
  const output = await run(program, args, { signal });
  throwIfAborted(signal);
  if (output === undefined) return 'docker compose config fails';
  try {
    const resolved: unknown = JSON.parse(output);
    if (isJsonObject(resolved)) return resolved;
  } catch {
    // Said below.
  }
  return 'what docker compose config prints is no JSON';
}

/** Answers what it prints; undefined where it fails. */
async function run(
  program: string,
  args: readonly string[],
  { signal }: Abortable,
): Promise<string | undefined> {
  const limited = `ulimit -v ${mostMemoryKibibytes}; exec "$0" "$@"`;
  const options = {
    cwd: '/',
    // Files are read as whoever runs the server would have Compose read them, but none from another machine.
    env: {
      HOME: homedir(),
      COMPOSE_EXPERIMENTAL_GIT_REMOTE: 'false',
      COMPOSE_EXPERIMENTAL_OCI_REMOTE: 'false',
    },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: mostOutputBytes,
    ...(signal === undefined ? {} : { signal }),
  } as const;
  return await new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', limited, program, ...args], options, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
    child.stdin?.end();
  });
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function textsOf(labels: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
