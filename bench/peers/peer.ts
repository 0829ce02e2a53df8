import type { Command } from '../measure/timed-process.ts';

/** Where one program keeps one repository. */
export interface Place {
  /** A folder, or restic's name of a place in a bucket. */
  readonly repository: string;
  /** The program's own cache folder for it; undefined: it has to do without any. */
  readonly cache: string | undefined;
  /** Holds the password. */
  readonly passwordFile: string;
}

/** A backup program, as the commands by which it does each job. Each works on one repository. */
export interface Peer {
  /** As results call it: the program, and what it is told beyond its defaults. */
  readonly name: string;
  readonly version: string;
  init(place: Place): Command;
  /** `number` tells the snapshots of one repository apart. */
  backup(place: Place, source: string, number?: number): Command;
  /** The first snapshot, or only one; paths below the target are those of the source. */
  restore(place: Place, target: string): Command;
  checkData(place: Place): Command;
  forget(place: Place, keepLast: number): Command;
  prune(place: Place): Command;
}

/** What a program gets of the harness's own environment: results do not depend on who measures. */
export function plainEnvironment(): Record<string, string | undefined> {
  const { PATH, HOME, TZ, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION } = process.env;
  return { PATH, HOME, TZ, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION, LANG: 'C.UTF-8' };
}
