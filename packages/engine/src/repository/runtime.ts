import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { type Abortable, type Clock, isZombie, sleep, systemClock, systemErrorCode } from '@holdfast/base';
import { defaultScryptParameters } from '../crypto/scrypt.ts';
import type { ScryptParameters } from '../format/key-file.ts';

/** Who writes into a repository, as its locks, keys and snapshots name them. */
export interface Identity {
  readonly hostname: string;
  /**
   * Replaces `hostname` in locks: unique among the holders of locks whose pids cannot be compared. Otherwise one of
   * them finds no process with the other's pid, and takes its lock for that of a dead one.
   */
  readonly lockHostname?: string | undefined;
  readonly username: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a repository needs of the process that it is opened in. */
export interface Runtime {
  readonly clock: Clock;
  readonly identity: Identity;
  /** What guessing a new password costs; existing keys carry their own. */
  readonly scrypt: ScryptParameters;
  sleep(durationMs: number, options: Abortable): Promise<void>;
  /** Whether a process with this pid runs where `identity.pid` does. */
  isProcessAlive(pid: number): boolean;
}

/** This process. `identity` sets parts of it, such as a host name that is unique to a mover. */
export function systemRuntime(identity: Partial<Identity> = {}): Runtime {
  const own = { ...currentIdentity(), ...identity };
  return {
    clock: systemClock,
    identity: { lockHostname: `${own.hostname}${pidNamespaceSuffix()}`, ...own },
    scrypt: defaultScryptParameters,
    sleep,
    isProcessAlive,
  };
}

function currentIdentity(): Identity {
  const uid = process.getuid?.() ?? 0;
  return {
    hostname: hostname(),
    username: userName(uid),
    pid: process.pid,
    uid,
    gid: process.getgid?.() ?? 0,
  };
}

/** The kernel's fixed number of the first pid namespace of a machine. */
const firstPidNamespace = 'pid:[4026531836]';

/** Empty where pids are the machine's own, as stock restic expects them to be. */
function pidNamespaceSuffix(): string {
  try {
    const namespace = readlinkSync('/proc/self/ns/pid');
    if (namespace === firstPidNamespace) return '';
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
    return `-pid-${/\d+/.exec(namespace)?.[0]}-${bootId.slice(0, 8)}`;
  } catch {
    // Without /proc there is nothing to compare: the host name alone has to do.
    return '';
  }
}

function userName(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that its passwd file does not list.
    return String(uid);
  }
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}
