import { HoldfastError } from '@holdfast/base';

/** A bucket, and where in it the repository is. */
export interface S3Location {
  /** As the user gave it, for messages. */
  readonly text: string;
  readonly isEncrypted: boolean;
  /** Host and, if given, port. */
  readonly host: string;
  readonly bucket: string;
  /** What every key begins with: empty, or ending with a slash. */
  readonly prefix: string;
  /** The region that the host's name tells, as in `s3.eu-central-1.amazonaws.com`. */
  readonly region: string | undefined;
  /** Amazon's own service, under its usual names. */
  readonly isAmazon: boolean;
}

/**
 * Understands `s3:HOST/BUCKET/PREFIX`, `s3://HOST/…`, `s3:https://HOST/…` and `s3:http://HOST/…`, as restic does.
 * @throws HoldfastError `usage-invalid`, without the location in it: it may carry what should not be told
 */
export function parseS3Location(text: string): S3Location {
  const [, scheme = 'https', rest = ''] = /^s3:(?:(https?):\/\/|\/\/)?(.*)$/s.exec(text) ?? [];
  const [host = '', bucket = '', ...folders] = rest.split('/');
  if (host.includes('@')) {
    throw invalid(
      'A location of a bucket has no place for credentials.',
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead.',
    );
  }
  if (!/^[a-z0-9.-]+(?::\d+)?$/i.test(host) && !/^\[[0-9a-f:.]+\](?::\d+)?$/i.test(host)) {
    throw invalid('The location of the repository names no server.');
  }
  if (bucket === '') throw invalid('The location of the repository names no bucket.');
  if (!/^[a-z0-9][a-z0-9._-]+$/i.test(bucket)) {
    throw invalid('The location of the repository names a bucket that cannot be.');
  }
  if (/[?#\p{Cc}]/u.test(rest) || folders.includes('..') || folders.includes('.')) {
    throw invalid('The location of the repository names a folder that cannot be.');
  }
  const path = folders.filter((folder) => folder !== '');
  return {
    text,
    isEncrypted: scheme === 'https',
    host,
    bucket,
    prefix: path.map((folder) => `${folder}/`).join(''),
    region: regionOf(host),
    isAmazon: amazonHost.test(host),
  };
}

const amazonHost = /^s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?$/i;

/** Providers put the region behind `s3.` or `s3-`: Amazon, Backblaze, Wasabi, Scaleway, OVH and more. */
function regionOf(host: string): string | undefined {
  const [, region] = /^s3[.-]([a-z]+(?:-[a-z0-9]+)+)\.[a-z0-9-]+\./i.exec(host) ?? [];
  return region?.toLowerCase();
}

function invalid(message: string, hint = 'Write it as s3:https://HOST/BUCKET/FOLDER.'): HoldfastError {
  return new HoldfastError('usage-invalid', message, { hint });
}
