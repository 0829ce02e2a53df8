import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../measure/timed-process.ts';
import { type Peer, type Place, plainEnvironment } from './peer.ts';

const oldest = [0, 18] as const;

/**
 * Stock restic 0.18 or later: the last that `HOLDFAST_TEST_RESTIC` lists (the test bed's part `restic` sets it), the one
 * that `script/setup` fetched, or the one on the path.
 * @throws Error when there is none
 */
export function findRestic(): Restic {
  const cache =
    process.env.HOLDFAST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'holdfast');
  const fetched = join(cache, 'tools/restic/usr/bin/restic');
  const programs = [...(process.env.HOLDFAST_TEST_RESTIC ?? '').split(':').reverse(), fetched, 'restic'];
  for (const program of programs) {
    if (program === '' || (program.includes('/') && !existsSync(program))) continue;
    const version = versionOf(program);
    if (version !== undefined && isNewEnough(version)) return new Restic(program, version);
  }
  throw new Error(`There is no stock restic ${oldest.join('.')} or later. Run script/setup test.`);
}

/** Stock restic at its defaults. */
export class Restic implements Peer {
  readonly name: string;
  readonly version: string;
  readonly #program: string;
  readonly #options: readonly string[];

  constructor(program: string, version: string, options: readonly string[] = []) {
    this.#program = program;
    this.version = version;
    this.#options = options;
    this.name = ['restic', ...options].join(' ');
  }

  /** The same program with further options. */
  with(...options: readonly string[]): Restic {
    return new Restic(this.#program, this.version, [...this.#options, ...options]);
  }

  init(place: Place): Command {
    return this.#command(place, 'init');
  }

  backup(place: Place, source: string): Command {
    return this.#command(place, 'backup', source);
  }

  restore(place: Place, target: string): Command {
    return this.#command(place, 'restore', 'latest', '--target', target);
  }

  /** A directory of the snapshot as an archive, on standard output. */
  dump(place: Place, path: string, archive: 'tar' | 'zip'): Command {
    return this.#command(place, 'dump', '--archive', archive, 'latest', path);
  }

  checkData(place: Place): Command {
    return this.#command(place, 'check', '--read-data');
  }

  forget(place: Place, keepLast: number): Command {
    return this.#command(place, 'forget', '--keep-last', String(keepLast));
  }

  prune(place: Place): Command {
    return this.#command(place, 'prune');
  }

  #command({ repository, cache, passwordFile }: Place, ...args: readonly string[]): Command {
    const cacheOptions = cache === undefined ? ['--no-cache'] : ['--cache-dir', cache];
    return {
      program: this.#program,
      args: ['-r', repository, '--password-file', passwordFile, ...cacheOptions, ...this.#options, ...args],
      env: plainEnvironment(),
    };
  }
}

function versionOf(program: string): string | undefined {
  try {
    const text = execFileSync(program, ['version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /^restic ([0-9]+\.[0-9.]+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}
