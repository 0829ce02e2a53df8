/** Running totals since the work began. */
export interface ProgressReport {
  readonly files: number;
  readonly bytes: number;
  /** For people: what is being worked on. */
  readonly path?: string;
}

/** Called often, for every file that is read and every chunk of a large one: a sink that shows or sends must thin it out. */
export interface ProgressSink {
  report(progress: ProgressReport): void;
}

export const noProgress: ProgressSink = { report: () => {} };

/** Files that need no reading are so fast that telling of each would take a good part of their time. */
const passedFilesPerReport = 64;

/** Adds up what parallel work reports. */
export class ProgressCounter {
  readonly #sink: ProgressSink;
  #files = 0;
  #bytes = 0;
  #untold = 0;

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

  /** A file that was not read. Now and then such files are told of; `tell` does so at once. */
  passFile(bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
    this.#untold += 1;
    if (this.#untold >= passedFilesPerReport) this.tell();
  }

  passFiles({ files, bytes }: { readonly files: number; readonly bytes: number }): void {
    this.#files += files;
    this.#bytes += bytes;
    this.#untold += files;
    this.tell();
  }

  tell(): void {
    if (this.#untold === 0) return;
    this.#untold = 0;
    this.#sink.report({ files: this.#files, bytes: this.#bytes });
  }
}
