import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mustRun } from './process.ts';

interface AccessKey {
  readonly id: string;
  readonly secret: string;
  /** A file that holds the secret, as the command line takes it. */
  readonly file: string;
}

/** A user of the test bed's S3 server, with a bucket's name of its own. Nobody else uses either. */
export class Bucket implements AsyncDisposable {
  /** As `--s3` takes it: `http://HOST/BUCKET`. */
  readonly place: string;
  readonly name: string;
  key: AccessKey;
  readonly #folder: string;
  readonly #user: string;

  private constructor(folder: string, user: string, key: AccessKey) {
    this.#folder = folder;
    this.#user = user;
    this.key = key;
    this.name = `bucket-${user}`;
    this.place = `${required('HOLDFAST_TEST_S3').replace(/^s3:/, '')}${this.name}`;
  }

  static async make(): Promise<Bucket> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-bucket-'));
    const user = `e2e-${randomUUID().slice(0, 8)}`;
    const text = await admin('user', 'create', '--uid', user, '--display-name', user);
    return new Bucket(folder, user, keysIn(text, folder)[0] ?? missingKey());
  }

  /** Another key takes the place of the one that there is, which opens nothing any more. */
  async replaceKey(): Promise<void> {
    const user = ['--uid', this.#user, '--key-type', 's3'];
    const text = await admin('key', 'create', ...user, '--gen-access-key', '--gen-secret');
    const next = keysIn(text, this.#folder).find(({ id }) => id !== this.key.id) ?? missingKey();
    await admin('key', 'rm', ...user, '--access-key', this.key.id);
    this.key = next;
  }

  /** The most that it may hold; null: as much as there is room for. */
  async setQuota(bytes: number | null): Promise<void> {
    const scope = ['--uid', this.#user, '--quota-scope', 'bucket', '--bucket', this.name];
    if (bytes !== null) await admin('quota', 'set', ...scope, '--max-size', String(bytes));
    await admin('quota', bytes === null ? 'disable' : 'enable', ...scope);
  }

  /** Keys of all objects that begin so. */
  async list(prefix = ''): Promise<readonly string[]> {
    const keys: string[] = [];
    let after: string | undefined;
    do {
      const page = await this.#client().send(
        new ListObjectsV2Command({
          Bucket: this.name,
          Prefix: prefix,
          ...(after === undefined ? {} : { ContinuationToken: after }),
        }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (after !== undefined);
    return keys;
  }

  async remove(...keys: readonly string[]): Promise<void> {
    const client = this.#client();
    for (const Key of keys) await client.send(new DeleteObjectCommand({ Bucket: this.name, Key }));
  }

  async put(key: string, body: string): Promise<void> {
    await this.#client().send(new PutObjectCommand({ Bucket: this.name, Key: key, Body: body }));
  }

  /** What stock restic takes the credentials from. */
  env(): Record<string, string> {
    return { AWS_ACCESS_KEY_ID: this.key.id, AWS_SECRET_ACCESS_KEY: this.key.secret };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await admin('user', 'rm', '--uid', this.#user, '--purge-data').catch(() => {});
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #client(): S3Client {
    const { id, secret } = this.key;
    return new S3Client({
      endpoint: required('HOLDFAST_TEST_S3').replace(/^s3:/, ''),
      region: 'us-east-1',
      credentials: { accessKeyId: id, secretAccessKey: secret },
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  }
}

async function admin(...words: readonly string[]): Promise<string> {
  const [program = '', ...options] = required('HOLDFAST_TEST_S3_ADMIN').split(' ');
  return await mustRun(program, [...options, ...words]);
}

function keysIn(text: string, folder: string): readonly AccessKey[] {
  const { keys } = JSON.parse(text) as { keys: { access_key: string; secret_key: string }[] };
  return keys.map(({ access_key: id, secret_key: secret }) => {
    const file = join(folder, id);
    writeFileSync(file, secret, { mode: 0o600 });
    return { id, secret, file };
  });
}

function missingKey(): never {
  throw new Error('The S3 server made no key.');
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: script/testbed up ceph`);
  return value;
}
