import { type Clock, HoldfastError } from '@holdfast/base';
import type { Backend } from './backend.ts';
import { LocalBackend } from './local/local-backend.ts';
import { LocalPlainFiles } from './local/local-plain-files.ts';
import type { PlainFiles } from './plain-files.ts';
import { S3Backend } from './s3/s3-backend.ts';
import { parseS3Location } from './s3/s3-location.ts';
import type { S3Options } from './s3/s3-options.ts';
import { S3PlainFiles } from './s3/s3-plain-files.ts';
import { withBandwidthLimit } from './wrappers/bandwidth-limit.ts';
import { withConcurrencyLimit } from './wrappers/concurrency-limit.ts';
import { Repeater, type RetryOptions } from './wrappers/repeater.ts';
import { withRetries } from './wrappers/retries.ts';

export interface BackendOptions {
  readonly s3?: S3Options | undefined;
  /** Of a remote place. */
  readonly retries?: RetryOptions | undefined;
  /** Calls at a remote place at once; 16 by default. */
  readonly maxCalls?: number | undefined;
  readonly uploadBytesPerSecond?: number | undefined;
  readonly downloadBytesPerSecond?: number | undefined;
  readonly clock?: Clock | undefined;
}

const comingSchemes = ['rest'];
const foreignSchemes = ['sftp', 'rclone', 'b2', 'azure', 'gs', 'swift'];
const defaultMaxCalls = 16;

/** Enough for the largest piece that comes in before a limited rate lets the next one follow. */
const slowestPieceBytes = 256 * 1024;

/**
 * The place that a location names: a path, `local:PATH`, or a bucket as `s3:https://HOST/BUCKET/FOLDER`. Touches
 * nothing yet. A local directory is used as it is; a remote place repeats what fails, and is asked so much at once.
 * @throws HoldfastError `usage-invalid` for a location that cannot be used
 */
export function openBackend(location: string, options: BackendOptions = {}): Backend {
  const place = placeOf(location);
  if (place.scheme === 's3') return openS3(location, options);
  return withLimits(new LocalBackend(place.directory), options);
}

/**
 * Small files at the same places. Touches nothing yet. A remote place repeats what fails; calls and bytes are few, and
 * not limited.
 * @throws HoldfastError `usage-invalid` for a location that cannot be used
 */
export function openPlainFiles(location: string, options: BackendOptions = {}): PlainFiles {
  const place = placeOf(location);
  if (place.scheme === 'local') return new LocalPlainFiles(place.directory);
  const { s3 = {}, retries, clock } = options;
  return new S3PlainFiles(parseS3Location(location), s3, new Repeater({ clock, ...retries }));
}

/** Whether the location is reached over a network: then reading metadata again and again is worth a cache. */
export function isRemoteLocation(location: string): boolean {
  return schemeOf(location) === 's3';
}

function schemeOf(location: string): string | undefined {
  return /^([a-z0-9]+):/.exec(location)?.[1];
}

type Place = { readonly scheme: 's3' } | { readonly scheme: 'local'; readonly directory: string };

function placeOf(location: string): Place {
  const scheme = schemeOf(location);
  if (scheme === 's3') return { scheme };
  if (scheme === 'local') return localPlace(location.slice('local:'.length));
  if (scheme !== undefined && comingSchemes.includes(scheme)) {
    throw new HoldfastError('usage-invalid', `Locations of the kind "${scheme}:" cannot be used yet.`, {
      hint: 'They come with a later version. Give a local directory.',
    });
  }
  if (scheme !== undefined && foreignSchemes.includes(scheme)) {
    throw new HoldfastError('usage-invalid', `Locations of the kind "${scheme}:" are not supported.`, {
      hint: `Give a local directory; for one that is called like this, write "local:${location}".`,
    });
  }
  return localPlace(location);
}

function localPlace(directory: string): Place {
  if (directory === '' || directory.includes('\0')) {
    throw new HoldfastError('usage-invalid', 'The location of the repository is empty or not a path.', {
      hint: 'Give the path of a directory.',
    });
  }
  return { scheme: 'local', directory };
}

/** A call that waits to be repeated leaves its turn to others. */
function openS3(location: string, options: BackendOptions): Backend {
  const { s3, retries, maxCalls = defaultMaxCalls, clock } = options;
  // Locks are not counted among the calls.
  const sockets = { maxSockets: maxCalls + 4, ...patience(options) };
  const backend = withLimits(new S3Backend(parseS3Location(location), { ...sockets, ...s3 }), options);
  return withRetries(withConcurrencyLimit(backend, maxCalls), { clock, ...retries });
}

function withLimits(backend: Backend, options: BackendOptions): Backend {
  const { uploadBytesPerSecond, downloadBytesPerSecond, clock } = options;
  if (uploadBytesPerSecond === undefined && downloadBytesPerSecond === undefined) return backend;
  return withBandwidthLimit(backend, { uploadBytesPerSecond, downloadBytesPerSecond, clock });
}

/** A connection that we hold back is silent, too. */
function patience(options: BackendOptions): Pick<S3Options, 'idleTimeoutMs'> {
  const { uploadBytesPerSecond = Infinity, downloadBytesPerSecond = Infinity, maxCalls } = options;
  const slowest = Math.min(uploadBytesPerSecond, downloadBytesPerSecond);
  if (slowest === Infinity) return {};
  const pieceMs = (slowestPieceBytes * 1000 * (maxCalls ?? defaultMaxCalls)) / slowest;
  return { idleTimeoutMs: Math.max(60_000, Math.ceil(pieceMs)) };
}
