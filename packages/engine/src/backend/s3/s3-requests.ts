import { type Abortable, throwIfAborted } from '@holdfast/base';
import { openS3Client, type S3Access } from './s3-client.ts';
import { type Access, answeredName, answeredStatus, s3Error } from './s3-error.ts';
import type { S3Location } from './s3-location.ts';
import type { S3Options } from './s3-options.ts';

/** What every request is sent with. */
export interface Sending {
  readonly abortSignal?: AbortSignal;
}

/** Requests to the bucket of one location, with a client that is opened at the first. Nothing is tried twice. */
export class S3Requests {
  readonly place: S3Location;
  readonly #options: S3Options;
  #access: Promise<S3Access> | undefined;

  constructor(place: S3Location, options: S3Options) {
    this.place = place;
    this.#options = options;
  }

  /** Runs the work with the client, and names its failure. */
  async run<T>(
    access: Access,
    { signal }: Abortable,
    work: (s3: S3Access, sending: Sending) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal);
    try {
      this.#access ??= openS3Client(this.place, this.#options);
      return await work(await this.#access, signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      throwIfAborted(signal);
      throw s3Error(error, this.place.text, access);
    }
  }

  /** Makes the bucket if it is missing, as restic does. Credentials that may not look for it are no obstacle. */
  async makeBucket(options: Abortable): Promise<void> {
    await this.run('write', options, async ({ sdk, client }, sending) => {
      const bucket = { Bucket: this.place.bucket };
      try {
        await client.send(new sdk.HeadBucketCommand(bucket), sending);
      } catch (error) {
        const status = answeredStatus(error);
        if (status === 403) return;
        if (status !== 404) throw error;
        await client.send(new sdk.CreateBucketCommand(bucket), sending).catch(unlessOwn);
      }
    });
  }
}

/** Another process may have made the bucket in the meantime. */
function unlessOwn(error: unknown): void {
  if (answeredName(error) !== 'BucketAlreadyOwnedByYou') throw error;
}
