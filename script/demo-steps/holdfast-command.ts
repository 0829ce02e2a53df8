import { type Backup, backupIdSchema, backupSchema } from '@holdfast/protocol';
import { runCommand } from './command.ts';

export interface HoldfastCommandOptions {
  /** bin/holdfast, or a program that runs it elsewhere by these arguments. */
  readonly command: { readonly program: string; readonly args: readonly string[] };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const jobLimitMs = 300_000;
const askLimitMs = 30_000;
/** Exit status of a command that finished with warnings. */
const warnings = 3;

/** Holdfast as its users know it: by its command. */
export class HoldfastCommand {
  readonly #options: HoldfastCommandOptions;

  constructor(options: HoldfastCommandOptions) {
    this.#options = options;
  }

  /** Backs up an environment and gives the new backup's id. */
  async createBackup(environment: string, description: string): Promise<string> {
    const output = await this.#run(
      ['backup:create', environment, '--no-code', '--description', description],
      jobLimitMs,
    );
    return backupIdSchema.parse(output.trim());
  }

  /** The table that a user sees. */
  async listBackups(environment: string): Promise<string> {
    return (await this.#run(['backup:list', environment], askLimitMs)).trimEnd();
  }

  async getBackup(id: string): Promise<Backup> {
    return backupSchema.parse(
      JSON.parse(await this.#run(['backup:get', id, '--format', 'json'], askLimitMs)),
    );
  }

  async restoreBackup(id: string): Promise<void> {
    await this.#run(['backup:restore', id, '--yes'], jobLimitMs);
  }

  #run(args: readonly string[], timeoutMs: number): Promise<string> {
    const { command, env, signal } = this.#options;
    return runCommand(command.program, [...command.args, ...args], {
      env,
      signal,
      timeoutMs,
      showsNotes: true,
      accepts: [warnings],
    });
  }
}
