import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { discoverEnvironments } from '../discovery/discover-environments.ts';
import type { Environment } from '../discovery/environment.ts';
import { readInventory } from '../discovery/read-inventory.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';

const run = promisify(execFile);

/** A Compose project on the test bed's engine, gone with all its volumes at the end. */
export interface TestProject extends AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  /** Answers both outputs together. */
  compose(...args: readonly string[]): Promise<string>;
  /** As discovery sees it now. */
  environment(docker: DockerEngine): Promise<Environment>;
}

export interface TestProjectOptions {
  readonly name: string;
  /** The Compose file. */
  readonly file: string;
  /** Beneath the project's folder. */
  readonly folders?: readonly string[];
  /** What a shell would have set. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Writes the files; nothing is started. */
export async function openTestProject(options: TestProjectOptions): Promise<TestProject> {
  const { name, file, folders = [], variables = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  for (const path of folders) await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, 'compose.yaml'), file);
  const [program = 'docker', ...words] = (process.env.HOLDFAST_COMPOSE ?? 'docker compose').split(' ');
  const compose = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await run(program, [...words, '--project-name', name, ...args], {
      cwd: folder,
      env: { ...process.env, ...variables },
    });
    return `${stdout}${stderr}`;
  };
  return {
    name,
    folder,
    compose,
    async environment(docker) {
      const found = discoverEnvironments(await readInventory(docker)).find((each) => each.name === name);
      if (found === undefined) throw new Error(`${name} is not there`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await compose('down', '--volumes', '--remove-orphans', '--timeout', '0');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
