import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { SkippedCase } from './bench.ts';

/** A bucket of our own on the test bed's S3 server, emptied and removed at the end. */
export class S3Bucket implements AsyncDisposable {
  readonly server: URL;
  readonly name = `holdfast-bench-${randomBytes(4).toString('hex')}`;
  readonly #client: S3Client;

  private constructor(server: URL) {
    this.server = server;
    this.#client = new S3Client({ endpoint: server.href, region: 'us-east-1', forcePathStyle: true });
  }

  /** @throws SkippedCase when the test bed's part `ceph` is not up */
  static async make(): Promise<S3Bucket> {
    const { HOLDFAST_TEST_S3, HOLDFAST_TEST_S3_ACCESS_KEY, HOLDFAST_TEST_S3_SECRET_KEY } = process.env;
    if (!HOLDFAST_TEST_S3) {
      throw new SkippedCase('HOLDFAST_TEST_S3 is not set: eval "$(script/testbed up ceph)"');
    }
    // Where every program looks for them.
    if (HOLDFAST_TEST_S3_ACCESS_KEY) process.env.AWS_ACCESS_KEY_ID = HOLDFAST_TEST_S3_ACCESS_KEY;
    if (HOLDFAST_TEST_S3_SECRET_KEY) process.env.AWS_SECRET_ACCESS_KEY = HOLDFAST_TEST_S3_SECRET_KEY;
    const bucket = new S3Bucket(new URL(HOLDFAST_TEST_S3.replace(/^s3:/, '')));
    await bucket.#client.send(new CreateBucketCommand({ Bucket: bucket.name }));
    return bucket;
  }

  /** Restic's name of a repository in the bucket, reached through another address of the server if one is given. */
  location(prefix: string, server: URL = this.server): string {
    return `s3:${server.origin}/${this.name}/${prefix}`;
  }

  async removeAll(): Promise<void> {
    for (;;) {
      const listed = await this.#client.send(new ListObjectsV2Command({ Bucket: this.name }));
      const keys = (listed.Contents ?? []).map(({ Key }) => ({ Key: Key ?? '' }));
      if (keys.length === 0) return;
      await this.#client.send(new DeleteObjectsCommand({ Bucket: this.name, Delete: { Objects: keys } }));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.removeAll();
    await this.#client.send(new DeleteBucketCommand({ Bucket: this.name }));
    this.#client.destroy();
  }
}
