/** Whose requests these are. Never part of a location, a message or a log. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/**
 * How a bucket's name is sent: in the path, or as part of the host's name (`dns`). `auto` is `dns` for Amazon and
 * `path` for everybody else.
 */
export type BucketLookup = 'auto' | 'dns' | 'path';

export interface S3Options {
  /** Without them: `AWS_ACCESS_KEY_ID` and its companions, then the files and services that Amazon's own tools ask. */
  readonly credentials?: S3Credentials | undefined;
  /** Without it: `AWS_DEFAULT_REGION` or `AWS_REGION`, then what the host's name tells, then `us-east-1`. */
  readonly region?: string | undefined;
  readonly bucketLookup?: BucketLookup | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** How long a connection may be silent while an answer, or the rest of one, is due. */
  readonly idleTimeoutMs?: number | undefined;
  /** How many connections are kept. */
  readonly maxSockets?: number | undefined;
  /** A larger file goes in parts of this size; at least 5 MiB. */
  readonly multipartBytes?: number | undefined;
  /** How many files one answer to a listing tells of; a server may tell of fewer. */
  readonly listedAtOnce?: number | undefined;
  /** Told of each request to the server, by the name of its operation (`PutObject`); for counting. */
  readonly onRequest?: ((operation: string) => void) | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}
