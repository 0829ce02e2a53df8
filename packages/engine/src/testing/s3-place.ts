import { randomUUID } from 'node:crypto';
import { S3Backend } from '../backend/s3/s3-backend.ts';
import { parseS3Location } from '../backend/s3/s3-location.ts';
import type { S3Credentials, S3Options } from '../backend/s3/s3-options.ts';

export interface S3Place extends AsyncDisposable {
  /** A folder in a new bucket: `s3:http://127.0.0.1:PORT/BUCKET/repositories/first`. */
  readonly location: string;
  readonly bucket: string;
  readonly credentials: S3Credentials;
  /** What stock restic and our command line take the credentials from. */
  readonly env: Readonly<Record<string, string>>;
  /** The same folder, through a proxy at that URL. */
  through(proxyUrl: string): string;
  open(options?: S3Options): S3Backend;
}

/** The S3 server of the test bed, as an URL. */
export function s3ServerUrl(): URL {
  return new URL(required('HOLDFAST_TEST_S3').replace(/^s3:/, ''));
}

/** A new bucket on the S3 server of the test bed, removed at the end with all that is in it. */
export async function s3Place(): Promise<S3Place> {
  const bucket = `holdfast-${randomUUID()}`;
  const credentials = {
    accessKeyId: required('HOLDFAST_TEST_S3_ACCESS_KEY'),
    secretAccessKey: required('HOLDFAST_TEST_S3_SECRET_KEY'),
  };
  const at = (url: string): string => `s3:${url}${bucket}/repositories/first`;
  const location = at(s3ServerUrl().href);
  const open = (options: S3Options = {}): S3Backend =>
    new S3Backend(parseS3Location(location), { credentials, ...options });
  return {
    location,
    bucket,
    credentials,
    env: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    through: at,
    open,
    [Symbol.asyncDispose]: () => removeBucket(bucket, credentials),
  };
}

async function removeBucket(bucket: string, credentials: S3Credentials): Promise<void> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    endpoint: s3ServerUrl().href,
    region: 'us-east-1',
    credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const place = { Bucket: bucket };
  try {
    for (const { Key, UploadId } of (await client.send(new sdk.ListMultipartUploadsCommand(place))).Uploads ??
      []) {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...place, Key, UploadId }));
    }
    for (let isMore = true; isMore; ) {
      const page = await client.send(new sdk.ListObjectsV2Command(place));
      await Promise.all(
        (page.Contents ?? []).map(({ Key }) => client.send(new sdk.DeleteObjectCommand({ ...place, Key }))),
      );
      isMore = page.IsTruncated === true;
    }
    await client.send(new sdk.DeleteBucketCommand(place));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'NoSuchBucket') throw error;
  } finally {
    client.destroy();
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: script/testbed up ceph`);
  return value;
}
