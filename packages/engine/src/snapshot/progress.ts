/** Running totals since the work began. */
export interface ProgressReport {
  readonly files: number;
  readonly bytes: number;
  /** For people: what is being worked on. */
  readonly path?: string;
}

/** Called often, for every file and every chunk of a large one: a sink that shows or sends must thin it out. */
export interface ProgressSink {
  report(progress: ProgressReport): void;
}

export const noProgress: ProgressSink = { report: () => {} };

/** Adds up what parallel work reports. */
export class ProgressCounter {
  readonly #sink: ProgressSink;
  #files = 0;
  #bytes = 0;

  constructor(sink: ProgressSink = noProgress) {
    this.#sink = sink;
  }

  get files(): number {
    return this.#files;
  }

  get bytes(): number {
    return this.#bytes;
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes;
    this.#sink.report({ files: this.#files, bytes: this.#bytes });
  }

  addFile(path: string): void {
    this.#files += 1;
    this.#sink.report({ files: this.#files, bytes: this.#bytes, path });
  }
}
