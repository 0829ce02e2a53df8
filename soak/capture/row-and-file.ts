import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AppEnvironment, freePort, nodeCommand } from '../../bench/environment/app-environment.ts';

import { untilAnswers } from '../../bench/environment/until-answers.ts';
import { LoadClient } from '../../bench/load/load-client.ts';
import type { Commit, Found, Subject, SubjectKind } from './subject.ts';

const perSecond = 100;
const data = 'data';

/** A web app that writes a row and a file for each request, under load. */
export const rowAndFile: SubjectKind = {
  name: 'row-and-file',
  wrecked: [data],
  open: async (environment) => {
    const port = await freePort();
    const command = nodeCommand('bench/programs/row-and-file-app.ts', '/data', String(port));
    await environment.start({ name: 'app', command, mounts: { [data]: '/data' } });
    const app = new RowAndFileApp(environment, `http://127.0.0.1:${port}/`);
    await app.resume();
    return app;
  },
};

class RowAndFileApp implements Subject {
  readonly #environment: AppEnvironment;
  readonly #url: string;
  #load: LoadClient | undefined;
  #starts = new Map<number, number>();

  constructor(environment: AppEnvironment, url: string) {
    this.#environment = environment;
    this.#url = url;
  }

  async quiesce(): Promise<readonly Commit[]> {
    const samples = (await this.#load?.stop()) ?? [];
    await this.#load?.[Symbol.asyncDispose]();
    this.#load = undefined;
    const commits = samples
      .filter(({ status }) => status === 200)
      .map(({ word, dueMs, tookMs }) => ({
        id: Number(word),
        startedMs: dueMs,
        endedMs: dueMs + tookMs,
      }));
    this.#starts = new Map(commits.map(({ id, startedMs }) => [id, startedMs]));
    return commits;
  }

  /** Nobody asks it anything meanwhile: what is there is what was restored. */
  async find(): Promise<Found> {
    const folder = join(this.#environment.folder, data);
    const ids = readFileSync(join(folder, 'rows'), 'utf8').trim().split('\n').map(Number);
    const files = new Set(readdirSync(join(folder, 'files')).map(Number));
    const rows = new Set(ids);
    const problems = [
      ...(rows.size < ids.length ? ['a row is there twice'] : []),
      ...ids.filter((id) => !files.has(id)).map((id) => `row ${id} has no file`),
      ...ids
        .filter((id) => files.has(id))
        .filter((id) => readFileSync(join(folder, 'files', String(id)), 'utf8') !== `file ${id}`)
        .map((id) => `the file of row ${id} is not what was written`),
    ];
    // The app writes the file first: when it stands still, the last ones may have no row yet.
    const ahead = [...files].filter((id) => !rows.has(id));
    if (ahead.length > mostAhead) problems.push(`${ahead.length} files have no row`);
    return { problems, rows: ids.map((id) => ({ id, startedMs: this.#starts.get(id) ?? 0 })) };
  }

  async resume(): Promise<void> {
    await untilAnswers(this.#url);
    const path = `${this.#environment.folder}.load`;
    this.#load = new LoadClient({ url: this.#url, method: 'POST', perSecond, path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load?.[Symbol.asyncDispose]();
  }
}

/** So many requests the app works on at a time, at the most. */
const mostAhead = 50;
