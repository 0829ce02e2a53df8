import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Finished, mustRun, run } from './process.ts';

/** A copy of one of `e2e/projects/`, run by Compose on the test bed's engine. */
export class ComposeProject implements AsyncDisposable {
  readonly name: string;
  readonly folder: string;

  constructor(template: string, name: string) {
    this.name = name;
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
    cpSync(fileURLToPath(new URL(`../projects/${template}`, import.meta.url)), this.folder, {
      recursive: true,
    });
  }

  static async up(template: string, name: string): Promise<ComposeProject> {
    const project = new ComposeProject(template, name);
    await project.start();
    return project;
  }

  /** What a run that was cut off has left under this name goes first. */
  async start(): Promise<void> {
    await this.tryCompose('down', '--volumes', '--remove-orphans', '--timeout', '0');
    await this.compose('up', '--detach');
  }

  compose(...args: readonly string[]): Promise<string> {
    return mustRun(composeProgram(), [...composeArguments(), '--project-name', this.name, ...args], {
      cwd: this.folder,
    });
  }

  /** Both outputs, for tests that look for warnings. */
  tryCompose(...args: readonly string[]): Promise<Finished> {
    return run(composeProgram(), [...composeArguments(), '--project-name', this.name, ...args], {
      cwd: this.folder,
    });
  }

  /** Runs a shell line in a running service. */
  sh(service: string, line: string): Promise<string> {
    return this.compose('exec', '-T', service, 'sh', '-c', line);
  }

  containerState(service: string): Promise<string> {
    return docker('inspect', '--format', '{{.State.Status}}', `${this.name}-${service}-1`).then((text) =>
      text.trim(),
    );
  }

  async startedAt(service: string): Promise<string> {
    return await docker('inspect', '--format', '{{.State.StartedAt}}', `${this.name}-${service}-1`);
  }

  async restartPolicy(service: string): Promise<string> {
    return (
      await docker('inspect', '--format', '{{.HostConfig.RestartPolicy.Name}}', `${this.name}-${service}-1`)
    ).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tryCompose('down', '--volumes', '--timeout', '0');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function docker(...args: readonly string[]): Promise<string> {
  return mustRun('docker', args);
}

/** The folder of a plain local volume on this machine. */
export async function volumeFolder(name: string): Promise<string> {
  return (await docker('volume', 'inspect', '--format', '{{.Mountpoint}}', name)).trim();
}

function composeWords(): string[] {
  return (process.env.HOLDFAST_COMPOSE ?? 'docker compose').split(' ');
}

function composeProgram(): string {
  return composeWords()[0] ?? 'docker';
}

function composeArguments(): string[] {
  return composeWords().slice(1);
}
