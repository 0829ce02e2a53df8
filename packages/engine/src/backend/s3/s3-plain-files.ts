import { Readable } from 'node:stream';
import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { type Abortable, isHoldfastError } from '@holdfast/base';
import { sha256 } from '../../crypto/hash.ts';
import {
  assertPlainName,
  assertPlainSize,
  type FolderUsage,
  isPlainComponent,
  maxPlainFileBytes,
  type PlainFileStatus,
  type PlainFiles,
  type PlainWriteOptions,
  plainFileTooLarge,
} from '../plain-files.ts';
import type { Repeater } from '../wrappers/repeater.ts';
import { type BodyLimit, bodyOf, readBody } from './object-body.ts';
import { withPayloadHash } from './payload-hash.ts';
import type { S3Access } from './s3-client.ts';
import { type Access, answeredName, answeredStatus } from './s3-error.ts';
import type { S3Location } from './s3-location.ts';
import type { S3Options } from './s3-options.ts';
import { S3Requests, type Sending } from './s3-requests.ts';

const sizeLimit: BodyLimit = { maxBytes: maxPlainFileBytes, tooLarge: plainFileTooLarge };
/** As many as the protocol has in one answer. */
const maxListedAtOnce = 1000;

interface PutOptions extends Abortable {
  readonly condition?: { readonly IfNoneMatch: '*' };
  readonly onAttempt?: () => void;
}

/**
 * Plain files in a bucket; repeats what fails. A new file is written under the condition that there is none. A server
 * that refuses or ignores the condition leaves a moment in which two writers can both be told that they were first.
 */
export class S3PlainFiles implements PlainFiles {
  readonly #requests: S3Requests;
  readonly #repeater: Repeater;
  readonly #listedAtOnce: number;

  constructor(place: S3Location, options: S3Options, repeater: Repeater) {
    this.#requests = new S3Requests(place, options);
    this.#repeater = repeater;
    this.#listedAtOnce = options.listedAtOnce ?? maxListedAtOnce;
  }

  get location(): string {
    return this.#requests.place.text;
  }

  async create(options: Abortable = {}): Promise<void> {
    await this.#repeater.repeat(options, () => this.#requests.makeBucket(options));
  }

  async read(name: string, options: Abortable = {}): Promise<Buffer | undefined> {
    const object = this.#objectOf(name);
    return await this.#run('read', options, async ({ sdk, client }, sending) => {
      try {
        const answer = await client.send(new sdk.GetObjectCommand(object), sending);
        return await readBody(answer, options, sizeLimit);
      } catch (error) {
        if (answeredName(error) === 'NoSuchKey') return undefined;
        throw error;
      }
    });
  }

  async write(name: string, bytes: Uint8Array, options: PlainWriteOptions = {}): Promise<boolean> {
    assertPlainName(name);
    assertPlainSize(bytes.length);
    if (options.ifNew === true) return await this.#writeNew(name, bytes, options);
    await this.#put(name, bytes, options);
    return true;
  }

  async remove(name: string, options: Abortable = {}): Promise<boolean> {
    if ((await this.stat(name, options)) === undefined) return false;
    await this.#run('write', options, async ({ sdk, client }, sending) => {
      await client.send(new sdk.DeleteObjectCommand(this.#objectOf(name)), sending);
    });
    return true;
  }

  async stat(name: string, options: Abortable = {}): Promise<PlainFileStatus | undefined> {
    const object = this.#objectOf(name);
    return await this.#run('read', options, async ({ sdk, client }, sending) => {
      try {
        return statusOf(await client.send(new sdk.HeadObjectCommand(object), sending));
      } catch (error) {
        const status = answeredStatus(error) ?? 0;
        if (status < 400 || status >= 500) throw error;
      }
      // An answer to HEAD does not say what is wrong: a missing bucket or file, a wrong key. One to GET does.
      try {
        const answer = await client.send(new sdk.GetObjectCommand(object), sending);
        if (answer.Body instanceof Readable) answer.Body.destroy();
        return statusOf(answer);
      } catch (error) {
        if (answeredName(error) === 'NoSuchKey') return undefined;
        throw error;
      }
    });
  }

  async listFolders(options: Abortable = {}): Promise<readonly string[]> {
    const { prefix } = this.#requests.place;
    const names = new Set<string>();
    for await (const { CommonPrefixes = [] } of this.#pages('', { Delimiter: '/' }, options)) {
      for (const { Prefix = '' } of CommonPrefixes) {
        const name = Prefix.slice(prefix.length, -1);
        if (isPlainComponent(name)) names.add(name);
      }
    }
    return [...names].sort();
  }

  async usage(folder: string, options: Abortable = {}): Promise<FolderUsage> {
    assertPlainName(folder);
    let [files, bytes] = [0, 0];
    for await (const { Contents = [] } of this.#pages(`${folder}/`, {}, options)) {
      files += Contents.length;
      for (const { Size = 0 } of Contents) bytes += Size;
    }
    return { files, bytes };
  }

  /** An attempt that was told to have failed may have written: then what is there is ours, and not somebody's before us. */
  async #writeNew(name: string, bytes: Uint8Array, options: Abortable): Promise<boolean> {
    if ((await this.stat(name, options)) !== undefined) return false;
    let attempts = 0;
    const onAttempt = (): void => {
      attempts += 1;
    };
    try {
      await this.#put(name, bytes, { ...options, condition: { IfNoneMatch: '*' }, onAttempt });
      return true;
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      const { status } = error.context;
      if (status === 412) {
        return attempts > 1 && (await this.read(name, options))?.equals(bytes) === true;
      }
      if (status !== 501) throw error;
      await this.#put(name, bytes, options);
      return true;
    }
  }

  async #put(name: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    const hash = sha256(bytes);
    await this.#run('write', options, async ({ sdk, client }, sending) => {
      options.onAttempt?.();
      const command = new sdk.PutObjectCommand({
        ...this.#objectOf(name),
        Body: bodyOf([bytes], options),
        ContentLength: bytes.length,
        ...options.condition,
        // Amazon asks for a checksum of its own where objects are locked; others may not know it.
        ...(this.#requests.place.isAmazon
          ? { ChecksumSHA256: Buffer.from(hash, 'hex').toString('base64') }
          : {}),
      });
      withPayloadHash(command, hash);
      await client.send(command, sending);
    });
  }

  async *#pages(
    beneath: string,
    fields: Partial<ListObjectsV2CommandInput>,
    options: Abortable,
  ): AsyncGenerator<ListObjectsV2CommandOutput, void> {
    let ContinuationToken: string | undefined;
    do {
      const from = ContinuationToken === undefined ? {} : { ContinuationToken };
      const listing = this.#listing(beneath, { ...fields, ...from });
      const page: ListObjectsV2CommandOutput = await this.#run('read', options, ({ sdk, client }, sending) =>
        client.send(new sdk.ListObjectsV2Command(listing), sending),
      );
      yield page;
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  #listing(beneath: string, fields: Partial<ListObjectsV2CommandInput>): ListObjectsV2CommandInput {
    const { bucket, prefix } = this.#requests.place;
    return { Bucket: bucket, Prefix: `${prefix}${beneath}`, MaxKeys: this.#listedAtOnce, ...fields };
  }

  #objectOf(name: string): { readonly Bucket: string; readonly Key: string } {
    assertPlainName(name);
    const { bucket, prefix } = this.#requests.place;
    return { Bucket: bucket, Key: `${prefix}${name}` };
  }

  async #run<T>(
    access: Access,
    options: Abortable,
    work: (s3: S3Access, sending: Sending) => Promise<T>,
  ): Promise<T> {
    return await this.#repeater.repeat(options, () => this.#requests.run(access, options, work));
  }
}

interface AnsweredStatus {
  readonly ContentLength?: number | undefined;
  readonly LastModified?: Date | undefined;
}

function statusOf({ ContentLength = 0, LastModified }: AnsweredStatus): PlainFileStatus {
  return { sizeBytes: ContentLength, modifiedAtMs: LastModified?.getTime() ?? 0 };
}
