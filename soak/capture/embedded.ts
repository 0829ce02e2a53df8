import { type AppEnvironment, inContainer, nodeCommand } from '../../bench/environment/app-environment.ts';

import type { Commit, Found, Subject, SubjectKind } from './subject.ts';
import { toldCommits, toldFound } from './told.ts';

const data = 'data';
const service = 'app';
const inApp = '/data';

export const sqlite = embedded('sqlite', nodeCommand('soak/programs/sqlite-writer.ts', inApp));
export const lmdb = embedded('lmdb', ['python3', inContainer('soak/programs/lmdb-writer.py'), inApp]);
export const sharedMapping = embedded('mapping', nodeCommand('soak/programs/mapping-writer.ts', inApp));

/** A store that is part of the program that uses it: it writes without end, and tells what it finds and commits. */
function embedded(name: string, command: readonly string[]): SubjectKind {
  return {
    name,
    wrecked: [data],
    open: async (environment) => {
      const store = new EmbeddedStore(environment);
      await environment.start({ name: service, command, mounts: { [data]: inApp } });
      await store.resume();
      return store;
    },
  };
}

class EmbeddedStore implements Subject {
  readonly #environment: AppEnvironment;
  #sinceMs = Date.now();
  #commits: readonly Commit[] = [];

  constructor(environment: AppEnvironment) {
    this.#environment = environment;
  }

  /** The program goes on. What it writes until it is restored is lost, and counts for nothing. */
  async quiesce(): Promise<readonly Commit[]> {
    this.#commits = await toldCommits(this.#environment, service, this.#sinceMs);
    this.#sinceMs = Date.now();
    return this.#commits;
  }

  async find(): Promise<Found> {
    const options = { sinceMs: this.#sinceMs, commits: this.#commits };
    return await toldFound(this.#environment, service, options);
  }

  async resume(): Promise<void> {
    await toldFound(this.#environment, service, { sinceMs: this.#sinceMs, commits: [] });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
