import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../measure/timed-process.ts';
import { type Peer, type Place, plainEnvironment } from './peer.ts';

const program = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));

/** This checkout's own command line, as a user starts it. */
export class Holdfast implements Peer {
  readonly name = 'holdfast';
  readonly #compiledFolder: string;
  readonly #helps = new Map<string, string>();

  /** Compiled code is kept in the folder, as the command does by default. */
  constructor(benchFolder: string) {
    this.#compiledFolder = join(benchFolder, 'compiled');
  }

  get version(): string {
    return this.#print('--version').trim();
  }

  /** Whether it has the verb, and that verb the option. */
  has(verb: string, option?: string): boolean {
    if (!this.#print('--help').includes(`  ${verb} `)) return false;
    return option === undefined || new RegExp(`${option}\\b`).test(this.#print(verb, '--help'));
  }

  init(place: Place): Command {
    return this.#command(place, 'repository:init');
  }

  backup(place: Place, source: string): Command {
    return this.#command(place, 'repository:backup', source);
  }

  restore(place: Place, target: string): Command {
    return this.#command(place, 'repository:restore', 'latest', '--target', target);
  }

  checkData(place: Place): Command {
    return this.#command(place, 'repository:check', '--read-data');
  }

  forget(place: Place, keepLast: number): Command {
    return this.#command(
      place,
      'repository:forget',
      '--keep-last',
      String(keepLast),
      ...this.#yes('repository:forget'),
    );
  }

  prune(place: Place): Command {
    return this.#command(place, 'repository:prune', ...this.#yes('repository:prune'));
  }

  /** Verbs that destroy want to be told so where there is no terminal. */
  #yes(verb: string): readonly string[] {
    return this.has(verb, '--yes') ? ['--yes'] : [];
  }

  #command({ repository, cache, passwordFile }: Place, verb: string, ...args: readonly string[]): Command {
    const where = ['-r', repository, '--password-file', passwordFile];
    return {
      program,
      args: [verb, ...where, ...this.#cacheOptions(verb, cache), ...args],
      env: { ...this.#environment(), XDG_CACHE_HOME: cache, RESTIC_CACHE_DIR: cache },
    };
  }

  #cacheOptions(verb: string, cache: string | undefined): readonly string[] {
    if (cache === undefined) return this.has(verb, '--no-cache') ? ['--no-cache'] : [];
    return this.has(verb, '--cache-dir') ? ['--cache-dir', cache] : [];
  }

  #environment(): Record<string, string | undefined> {
    return { ...plainEnvironment(), NODE_COMPILE_CACHE: this.#compiledFolder };
  }

  #print(...args: readonly string[]): string {
    const key = args.join(' ');
    const known = this.#helps.get(key);
    if (known !== undefined) return known;
    const printed = execFileSync(program, args, { encoding: 'utf8', env: this.#environment() });
    this.#helps.set(key, printed);
    return printed;
  }
}
