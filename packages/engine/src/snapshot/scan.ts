import { setImmediate } from 'node:timers/promises';
import { type Abortable, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { isDirectory, isRegularFile, statusAt } from '../filesystem/file-status.ts';
import { openDirectoryAt, openTrustedDirectory } from '../filesystem/open.ts';
import { type ByteString, toByteString } from '../format/byte-string.ts';
import { compileExclusion, type ExcludeRules, type Exclusion } from './exclusion.ts';
import { absolutePath, type BackupSource, baseName, joinPath, parentPath } from './source-tree.ts';

export interface ScanRequest extends Abortable, ExcludeRules {
  readonly sources: readonly BackupSource[];
  /** Once there is more than this, nothing more is looked at. */
  readonly enough?: { readonly entries: number; readonly bytes: number };
}

export interface ScanSummary {
  /** Regular files. */
  readonly files: number;
  readonly dirs: number;
  readonly bytes: number;
}

const directoriesPerTurn = 32;

/**
 * What a backup of these sources will see, for progress in per cent. What cannot be read is not counted, and not
 * told: the backup will tell.
 */
export async function scanSources(request: ScanRequest): Promise<ScanSummary> {
  const scan = new Scan(compileExclusion(request), request);
  for (const source of request.sources) {
    const path = toByteString(source.path);
    await scan.ignoringUnreadable(async () => {
      using directory = openTrustedDirectory(parentPath(path));
      const name = path === '/' ? ('.' as ByteString) : baseName(path);
      await scan.entry(directory.number, name, absolutePath(path));
    });
  }
  return scan.summary;
}

class Scan {
  readonly #exclusion: Exclusion;
  readonly #signal: AbortSignal | undefined;
  readonly #enough: NonNullable<ScanRequest['enough']>;
  #files = 0;
  #dirs = 0;
  #bytes = 0;

  constructor(exclusion: Exclusion, { signal, enough }: Pick<ScanRequest, 'signal' | 'enough'>) {
    this.#exclusion = exclusion;
    this.#signal = signal;
    this.#enough = enough ?? { entries: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  }

  get summary(): ScanSummary {
    return { files: this.#files, dirs: this.#dirs, bytes: this.#bytes };
  }

  get #isEnough(): boolean {
    return this.#files + this.#dirs > this.#enough.entries || this.#bytes > this.#enough.bytes;
  }

  async entry(directory: number, name: ByteString, path: ByteString): Promise<void> {
    if (this.#isEnough || this.#exclusion.isExcluded(path)) return;
    const status = statusAt(directory, name);
    if (status === undefined || this.#exclusion.isTooLarge(status)) return;
    if (isRegularFile(status)) {
      this.#files += 1;
      this.#bytes += status.size;
    } else if (isDirectory(status)) {
      this.#dirs += 1;
      await this.ignoringUnreadable(() => this.#contents(directory, name, path));
    }
  }

  async ignoringUnreadable(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  async #contents(directory: number, name: ByteString, path: ByteString): Promise<void> {
    throwIfAborted(this.#signal);
    if (this.#dirs % directoriesPerTurn === 0) await setImmediate();
    using opened = openDirectoryAt(directory, name);
    for (const child of this.#exclusion.keptNames(opened.number, entryNames(opened.number))) {
      await this.entry(opened.number, child, joinPath(path, child));
    }
  }
}
