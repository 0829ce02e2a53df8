import { execFileSync } from 'node:child_process';
import type { Command } from '../measure/timed-process.ts';
import { type Peer, type Place, plainEnvironment } from './peer.ts';

/** Undefined if there is no borg 1.2 on the path. */
export function findBorg(): Borg | undefined {
  try {
    const text = execFileSync('borg', ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const version = /^borg ([0-9.]+)/.exec(text)?.[1];
    return version?.startsWith('1.2.') ? new Borg(version) : undefined;
  } catch {
    return undefined;
  }
}

/** Borg with encryption, and with the compression that the others have. It keeps its index in its cache. */
export class Borg implements Peer {
  readonly name = 'borg --compression zstd,3';
  readonly version: string;

  constructor(version: string) {
    this.version = version;
  }

  init(place: Place): Command {
    return this.#command(place, 'init', '--encryption', 'repokey-blake2', place.repository);
  }

  backup(place: Place, source: string, number = 0): Command {
    return this.#command(place, 'create', '--compression', 'zstd,3', archive(place, number), source);
  }

  restore(place: Place, target: string): Command {
    return { ...this.#command(place, 'extract', archive(place, 0)), cwd: target };
  }

  checkData(place: Place): Command {
    return this.#command(place, 'check', '--verify-data', place.repository);
  }

  forget(place: Place, keepLast: number): Command {
    return this.#command(place, 'prune', '--keep-last', String(keepLast), place.repository);
  }

  prune(place: Place): Command {
    return this.#command(place, 'compact', place.repository);
  }

  #command({ cache, passwordFile }: Place, ...args: readonly string[]): Command {
    if (cache === undefined) throw new Error('borg does not work without its cache.');
    const env = {
      ...plainEnvironment(),
      BORG_BASE_DIR: cache,
      BORG_PASSCOMMAND: `cat ${passwordFile}`,
      BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    };
    return { program: 'borg', args, env };
  }
}

function archive({ repository }: Place, number: number): string {
  return `${repository}::${number}`;
}
