import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Backup,
  backupSchema,
  type Client,
  createClient,
  isJobOver,
  type Job,
} from '@holdfast/protocol';
import { docker, volumeFolder } from './compose.ts';
import { holdfastImage } from './image.ts';
import { eventually, type Finished, mustRun, run } from './process.ts';
import type { ResticRepository } from './restic.ts';

const shipped = fileURLToPath(new URL('../../compose.yaml', import.meta.url));
const dataInContainer = '/var/lib/holdfast';

/** Holdfast installed by the compose.yaml that is shipped: only image, port and socket are this test bed's. */
export class HoldfastContainer implements AsyncDisposable {
  readonly project = `holdfast-e2e-${randomBytes(4).toString('hex')}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  #dataOnMachine = '';
  #token = '';

  /** @param beside lines of YAML for more services of its Compose project */
  static async start(options: { readonly beside?: string } = {}): Promise<HoldfastContainer> {
    const holdfast = await HoldfastContainer.install(options);
    await holdfast.startServer();
    return holdfast;
  }

  /** Not started yet. */
  static async install({ beside = '' } = {}): Promise<HoldfastContainer> {
    const holdfast = new HoldfastContainer();
    const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');
    const text = readFileSync(shipped, 'utf8')
      .replace('image: holdfast', `image: ${await holdfastImage()}`)
      .replace('services:\n', `services:\n${beside}\n`)
      .replace('127.0.0.1:8420:8420', '127.0.0.1::8420')
      .replace('/var/run/docker.sock:', `${socket}:`);
    writeFileSync(join(holdfast.#folder, 'compose.yaml'), text);
    return holdfast;
  }

  get container(): string {
    return `${this.project}-holdfast-1`;
  }

  async startServer(): Promise<void> {
    await this.#compose('up', '--detach');
    this.#dataOnMachine = await volumeFolder(`${this.project}_data`);
    await eventually('the server listens', async () => {
      const { status } = await this.run(['environment:list']);
      return status === 0;
    });
    this.#token = readFileSync(join(this.#dataOnMachine, 'token'), 'utf8').trim();
  }

  /** SIGKILL to the container. Docker does not start it again by itself, as it was killed by hand. */
  async killServer(): Promise<void> {
    await docker('kill', '--signal', 'KILL', this.container);
  }

  run(args: readonly string[]): Promise<Finished> {
    return run('docker', ['exec', this.container, 'holdfast', ...args]);
  }

  mustRun(args: readonly string[]): Promise<string> {
    return mustRun('docker', ['exec', this.container, 'holdfast', ...args]);
  }

  /** A command instead of the server. */
  runOnce(options: readonly string[], args: readonly string[]): Promise<string> {
    return this.#compose('run', '--rm', '--no-TTY', ...options, 'holdfast', ...args);
  }

  async createBackup(environment: string, ...args: readonly string[]): Promise<string> {
    return (await this.mustRun(['backup:create', environment, ...args])).trim();
  }

  async getBackup(id: string): Promise<Backup> {
    return backupSchema.parse(JSON.parse(await this.mustRun(['backup:get', id, '--format', 'json'])));
  }

  /** What Holdfast made for itself of this checkout's image: `mover` or `guard`. */
  async ownContainers(kind: string): Promise<readonly string[]> {
    const filters = [`label=holdfast.internal=${kind}`, `ancestor=${await holdfastImage()}`];
    const given = filters.flatMap((filter) => ['--filter', filter]);
    return (await docker('ps', '--all', '--quiet', ...given)).split('\n').filter((id) => id !== '');
  }

  /** A backup's repository where the machine has it: for stock restic. */
  onMachine({ repository, passwordFile }: ResticRepository): ResticRepository {
    const moved = (path: string) => path.replace(dataInContainer, this.#dataOnMachine);
    return { repository: moved(repository), passwordFile: moved(passwordFile) };
  }

  /** Another port each time that the container was started. */
  async client(): Promise<Client> {
    const address = (await docker('port', this.container, '8420')).trim();
    return createClient({ url: `http://${address}`, token: this.#token });
  }

  async endOf({ id }: Job): Promise<Job> {
    const client = await this.client();
    return await eventually('the job ends', async () => {
      const job = await client.call('job.get', { params: { job: id } });
      return isJobOver(job.state) ? job : undefined;
    });
  }

  async log(): Promise<string> {
    const { stdout, stderr } = await run('docker', ['logs', this.container]);
    return stdout + stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#compose('down', '--volumes', '--timeout', '5');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #compose(...args: readonly string[]): Promise<string> {
    const [program = 'docker', ...words] = (process.env.HOLDFAST_COMPOSE ?? 'docker compose').split(' ');
    return mustRun(program, [...words, '--project-name', this.project, ...args], { cwd: this.#folder });
  }
}
