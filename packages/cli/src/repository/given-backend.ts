import { resolve } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import {
  type Backend,
  type BackendOptions,
  type BucketLookup,
  defaultCacheDirectory,
  isRemoteLocation,
  openBackend,
  type Retry,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { formatDuration } from '../output/quantities.ts';
import type { RepositoryOptions } from './repository-options.ts';

export interface GivenBackend {
  readonly backend: Backend;
  /** Undefined where no metadata is to be kept. */
  readonly cacheDirectory: string | undefined;
}

const kibibyte = 1024;
/** A shorter wait is over before it is read. */
const toldFromMs = 2_000;

/** The place at the location, used as the options say. */
export function givenBackend(
  context: CliContext,
  location: string,
  options: RepositoryOptions,
): GivenBackend {
  const { limitUpload, limitDownload, cacheDir, cache = true } = options;
  const { connections, ...s3 } = storageOptions(options.option ?? []);
  const settings: BackendOptions = {
    s3: { ...s3, env: context.env },
    maxCalls: connections,
    uploadBytesPerSecond: limitUpload && limitUpload * kibibyte,
    downloadBytesPerSecond: limitDownload && limitDownload * kibibyte,
    retries: { onRetry: (retry) => tellRetry(context, retry) },
    clock: context.clock,
  };
  const directory =
    cacheDir === undefined ? defaultCacheDirectory(context.env) : resolve(context.folder, cacheDir);
  return {
    backend: openBackend(location, settings),
    cacheDirectory: cache && isRemoteLocation(location) ? directory : undefined,
  };
}

interface StorageOptions {
  region?: string;
  bucketLookup?: BucketLookup;
  connections?: number;
}

const lookups: readonly string[] = ['auto', 'dns', 'path'] satisfies readonly BucketLookup[];

/** restic's names. @throws HoldfastError `usage-invalid` */
function storageOptions(given: readonly string[]): StorageOptions {
  const found: StorageOptions = {};
  for (const option of given) {
    const [, key = option, value = ''] = /^([^=]+)=(.+)$/.exec(option) ?? [];
    if (key === 's3.region' && value !== '') found.region = value;
    else if (key === 's3.bucket-lookup' && isLookup(value)) found.bucketLookup = value;
    else if (key === 's3.connections' && /^[1-9][0-9]{0,2}$/.test(value)) found.connections = Number(value);
    else {
      throw new HoldfastError('usage-invalid', `The option ${key} is not known, or not with this value.`, {
        hint: 'Give s3.region=NAME, s3.bucket-lookup=auto|dns|path or s3.connections=N.',
      });
    }
  }
  return found;
}

function isLookup(value: string): value is BucketLookup {
  return lookups.includes(value);
}

function tellRetry(context: CliContext, { error, delayMs }: Retry): void {
  if (delayMs < toldFromMs) return;
  context.notes.line(`${error.message} Trying again in ${formatDuration(delayMs)}.`);
}
