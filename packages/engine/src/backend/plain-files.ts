import { type Abortable, HoldfastError } from '@holdfast/base';

export interface PlainWriteOptions extends Abortable {
  /** Write only where no file has that name. */
  readonly ifNew?: boolean | undefined;
}

export interface PlainFileStatus {
  readonly sizeBytes: number;
  /** By the clock of the place itself, which a bucket has of its own; milliseconds since the epoch. */
  readonly modifiedAtMs: number;
}

export interface FolderUsage {
  readonly files: number;
  readonly bytes: number;
}

/** No file of these is larger. */
export const maxPlainFileBytes = 1024 * 1024;

/**
 * Small files beside repositories, such as a vault's marker, at the same places as repositories: see `openPlainFiles`.
 * A name is one component, or a few joined by `/`; folders come and go with what is in them.
 *
 * Any number of calls may run at once, also from several processes on the same place. A file that is not there is a
 * return value; the place itself that is not there is an error. Failures are `HoldfastError`s, with the codes of
 * `Backend` and
 * - `usage-invalid`: the name cannot be one
 * - `storage-file-too-large`: the file has, or would have, more than 1 MiB
 */
export interface PlainFiles {
  /** What the user calls this place, for messages. Carries no secret. */
  readonly location: string;

  /** Makes the place: the directory, or the bucket. What is there already stays. */
  create(options?: Abortable): Promise<void>;

  /** The whole file; undefined if there is none. */
  read(name: string, options?: Abortable): Promise<Buffer | undefined>;

  /**
   * When it resolves, the file is on stable storage, and the one before is replaced; when it rejects or the process
   * dies, the file is as it was or as it was to be. False, with nothing written, where `ifNew` and there was a file: of
   * any number of such writes at once, one is told true, provided that each writes something else.
   */
  write(name: string, bytes: Uint8Array, options?: PlainWriteOptions): Promise<boolean>;

  /** False if there was none. */
  remove(name: string, options?: Abortable): Promise<boolean>;

  /** Undefined if there is no such file. */
  stat(name: string, options?: Abortable): Promise<PlainFileStatus | undefined>;

  /** The names of the folders right there, in ascending order. */
  listFolders(options?: Abortable): Promise<readonly string[]>;

  /** All files below the folder, and their bytes together; zeros if there is no such folder. Follows no links. */
  usage(folder: string, options?: Abortable): Promise<FolderUsage>;
}

const maxComponentBytes = 200;

/** Whether a folder or file can be asked for by that name. */
export function isPlainComponent(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || /[/\p{Cc}\p{Cs}\ufffd]/u.test(name)) return false;
  return Buffer.byteLength(name) <= maxComponentBytes;
}

/** @throws HoldfastError `usage-invalid` */
export function assertPlainName(name: string): void {
  if (name.split('/').every(isPlainComponent)) return;
  throw new HoldfastError('usage-invalid', 'This cannot be the name of a file beside a repository.', {
    hint: 'Give one name, or a few joined by "/", of which none is "." or "..".',
    context: { name },
  });
}

/** @throws HoldfastError `storage-file-too-large` */
export function assertPlainSize(sizeBytes: number): void {
  if (sizeBytes > maxPlainFileBytes) throw plainFileTooLarge(sizeBytes);
}

export function plainFileTooLarge(sizeBytes: number): HoldfastError {
  return new HoldfastError(
    'storage-file-too-large',
    'A file beside a repository is too large to be one of ours.',
    {
      hint: 'Check what else writes there.',
      context: { sizeBytes, maxBytes: maxPlainFileBytes },
    },
  );
}
