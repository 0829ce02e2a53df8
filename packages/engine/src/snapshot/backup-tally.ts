import type { BackupSummary, EntryCounts } from './backup-request.ts';

type Change = keyof EntryCounts;
type Tally = { -readonly [Kind in Change]: number };

/** Counts what a backup saw. */
export class BackupTally {
  readonly #files: Tally = { new: 0, changed: 0, unmodified: 0 };
  readonly #dirs: Tally = { new: 0, changed: 0, unmodified: 0 };
  #bytes = 0;
  #unsteadyFiles = 0;

  addFile(change: Change, bytes: number): void {
    this.#files[change] += 1;
    this.#bytes += bytes;
  }

  addStanding({ files, bytes, dirs }: { files: number; bytes: number; dirs: number }): void {
    this.#files.unmodified += files;
    this.#bytes += bytes;
    this.#dirs.unmodified += dirs;
  }

  /** Of a file that was added too. */
  addUnsteadyFile(): void {
    this.#unsteadyFiles += 1;
  }

  addDir(change: Change): void {
    this.#dirs[change] += 1;
  }

  summary(storedBytes: number): BackupSummary {
    return {
      files: total(this.#files),
      dirs: total(this.#dirs),
      bytes: this.#bytes,
      storedBytes,
      fileCounts: { ...this.#files },
      dirCounts: { ...this.#dirs },
      unsteadyFiles: this.#unsteadyFiles,
    };
  }
}

function total(tally: EntryCounts): number {
  return tally.new + tally.changed + tally.unmodified;
}
