import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('open-loop.ts', import.meta.url));

export interface LoadOptions {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly perSecond: number;
  /** Where the client writes to; removed at the end. */
  readonly path: string;
}

/** One request that was sent. */
export interface Sample {
  /** When it had to be sent, in milliseconds since the Unix epoch. */
  readonly dueMs: number;
  /** From then to its answer's end. */
  readonly tookMs: number;
  /** 0 where there was no answer. */
  readonly status: number;
  /** The answer's first word, or why there was none. */
  readonly word: string;
}

/** A process of its own that sends requests at a steady rate, see `open-loop.ts`. */
export class LoadClient implements AsyncDisposable {
  readonly #child;
  readonly #path: string;

  constructor({ url, method, perSecond, path }: LoadOptions) {
    this.#path = path;
    this.#child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, url, method, String(perSecond), path],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
  }

  /** Ends it once every request was answered or failed; gives them in the order of their ends. */
  async stop(): Promise<readonly Sample[]> {
    await this.#end();
    return readFileSync(this.#path, 'utf8').split('\n').filter(Boolean).map(parseSample);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    rmSync(this.#path, { force: true });
  }

  async #end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    const [status] = await exited;
    if (status !== 0) throw new Error(`The load generator ended with ${status}.`);
  }
}

function parseSample(line: string): Sample {
  const [dueMs, tookMs, status, word = ''] = line.split(' ');
  return { dueMs: Number(dueMs), tookMs: Number(tookMs), status: Number(status), word };
}
