import { type Abortable, HoldfastError } from '@holdfast/base';
import { sha256OfParts } from '../../crypto/hash.ts';
import type {
  Backend,
  ByteRange,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  LoadOptions,
  TransferOptions,
} from '../backend.ts';
import { removeUnfinishedUploads } from './leftover-uploads.ts';
import { uploadInParts } from './multipart-upload.ts';
import { bodyOf, rangeOf, readBody } from './object-body.ts';
import { idOfKey, keyOf, listingPrefix } from './object-key.ts';
import { withPayloadHash } from './payload-hash.ts';
import { answeredName, answeredStatus } from './s3-error.ts';
import type { S3Location } from './s3-location.ts';
import type { S3Options } from './s3-options.ts';
import { S3Requests } from './s3-requests.ts';

const defaultMultipartBytes = 64 * 1024 * 1024;
/** As many as the protocol has in one answer. */
const maxListedAtOnce = 1000;

/**
 * A repository in a bucket, in restic's default layout. Nothing is tried twice: see `withRetries`.
 *
 * - An object is there whole or not at all, so there are no temporary names. What may be left behind are parts of
 *   unfinished multipart uploads, which cost money where storage does.
 * - The config is written under the condition that there is none (`If-None-Match: *`). A server that does not know the
 *   condition refuses it, and then looking first is all there is: of two that write at the same moment, the later wins.
 *   One that ignores it (before 2024 many did) does the same. The loser then finds another's config than its own when
 *   it opens the repository.
 * - `remove` looks first, because servers answer the same whether there was an object or not.
 */
export class S3Backend implements Backend {
  readonly #place: S3Location;
  readonly #options: S3Options;
  readonly #requests: S3Requests;

  constructor(place: S3Location, options: S3Options = {}) {
    this.#place = place;
    this.#options = options;
    this.#requests = new S3Requests(place, options);
  }

  get location(): string {
    return this.#place.text;
  }

  /** Makes the bucket if it is missing. */
  async create(options: Abortable = {}): Promise<void> {
    await this.#requests.makeBucket(options);
  }

  async save(file: FileName, parts: readonly Uint8Array[], options: TransferOptions = {}): Promise<void> {
    const sizeBytes = parts.reduce((total, part) => total + part.length, 0);
    const { multipartBytes: partBytes = defaultMultipartBytes } = this.#options;
    const { bucket, prefix } = this.#place;
    if (file.kind === 'config') {
      await this.#saveConfig(parts, options);
    } else if (sizeBytes > partBytes) {
      const upload = { bucket, key: keyOf(prefix, file), parts, sizeBytes, partBytes };
      await this.#requests.run('write', options, (access) => uploadInParts(access, upload, options));
    } else {
      await this.#put(file, { parts, sizeBytes, hash: file.id }, options);
    }
  }

  async load(file: FileName, options: LoadOptions = {}): Promise<Buffer | undefined> {
    return await this.#get(file, undefined, options);
  }

  async loadRange(file: FileName, range: ByteRange, options: LoadOptions = {}): Promise<Buffer | undefined> {
    // HTTP has no empty ranges.
    if (range.length === 0) return (await this.stat(file, options)) && Buffer.of();
    return await this.#get(file, range, options);
  }

  async stat(file: FileName, { signal }: Abortable = {}): Promise<{ sizeBytes: number } | undefined> {
    return await this.#requests.run('read', { signal }, async ({ sdk, client }, sending) => {
      const object = { Bucket: this.#place.bucket, Key: keyOf(this.#place.prefix, file) };
      try {
        const { ContentLength = 0 } = await client.send(new sdk.HeadObjectCommand(object), sending);
        return { sizeBytes: ContentLength };
      } catch (error) {
        const status = answeredStatus(error) ?? 0;
        if (status === 404 && file.kind !== 'config') return undefined;
        if (status < 400 || status >= 500) throw error;
        // An answer to HEAD does not say what is wrong: a missing bucket or file, a wrong key. One to GET does.
        const contents = await this.#get(file, undefined, { signal });
        return contents && { sizeBytes: contents.length };
      }
    });
  }

  async *list(kind: ListedFileKind, { signal, after }: ListOptions = {}): AsyncIterable<ListedFile> {
    const { bucket, prefix } = this.#place;
    const { listedAtOnce: MaxKeys = maxListedAtOnce } = this.#options;
    const StartAfter = after === undefined ? {} : { StartAfter: keyOf(prefix, { kind, id: after }) };
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#requests.run('read', { signal }, ({ sdk, client }, sending) => {
        const from = ContinuationToken === undefined ? StartAfter : { ContinuationToken };
        const listing = { Bucket: bucket, Prefix: listingPrefix(prefix, kind), MaxKeys, ...from };
        return client.send(new sdk.ListObjectsV2Command(listing), sending);
      });
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const id = idOfKey(prefix, kind, Key);
        if (id !== undefined) yield { id, sizeBytes: Size };
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  async remove(file: FileName, { signal }: Abortable = {}): Promise<boolean> {
    if ((await this.stat(file, { signal })) === undefined) return false;
    await this.#requests.run('write', { signal }, async ({ sdk, client }, sending) => {
      const object = { Bucket: this.#place.bucket, Key: keyOf(this.#place.prefix, file) };
      await client.send(new sdk.DeleteObjectCommand(object), sending);
    });
    return true;
  }

  /** Takes back the parts of multipart uploads that were begun before that moment and never completed. */
  async removeLeftovers(writtenBeforeMs: number, { signal }: Abortable = {}): Promise<number> {
    return await this.#requests.run('write', { signal }, (access, sending) =>
      removeUnfinishedUploads(access, this.#place, { writtenBeforeMs, sending }),
    );
  }

  async #saveConfig(parts: readonly Uint8Array[], options: TransferOptions): Promise<void> {
    const config: FileName = { kind: 'config' };
    if ((await this.stat(config, options)) !== undefined) throw this.#existing();
    const contents = {
      parts,
      sizeBytes: parts.reduce((total, part) => total + part.length, 0),
      hash: sha256OfParts(parts),
    };
    try {
      await this.#put(config, contents, options, true);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const { status } = error.context;
      if (status === 501) {
        await this.#put(config, contents, options);
      } else if (status === 412) {
        // Ours, when an earlier attempt was told to have failed and had not: no two configs are the same.
        if (!(await this.load(config, options))?.equals(Buffer.concat(parts))) throw this.#existing();
      } else {
        throw error;
      }
    }
  }

  async #put(
    file: FileName,
    contents: { readonly parts: readonly Uint8Array[]; readonly sizeBytes: number; readonly hash: string },
    options: TransferOptions,
    onlyIfNew = false,
  ): Promise<void> {
    await this.#requests.run('write', options, async ({ sdk, client }, sending) => {
      const { bucket, prefix, isAmazon } = this.#place;
      const command = new sdk.PutObjectCommand({
        Bucket: bucket,
        Key: keyOf(prefix, file),
        Body: bodyOf(contents.parts, options),
        ContentLength: contents.sizeBytes,
        ...(onlyIfNew ? { IfNoneMatch: '*' } : {}),
        // Amazon asks for a checksum of its own where objects are locked; others may not know it.
        ...(isAmazon ? { ChecksumSHA256: Buffer.from(contents.hash, 'hex').toString('base64') } : {}),
      });
      withPayloadHash(command, contents.hash);
      await client.send(command, sending);
    });
  }

  async #get(
    file: FileName,
    range: ByteRange | undefined,
    options: LoadOptions,
  ): Promise<Buffer | undefined> {
    return await this.#requests.run('read', options, async ({ sdk, client }, sending) => {
      const object = { Bucket: this.#place.bucket, Key: keyOf(this.#place.prefix, file) };
      try {
        const answer = await client.send(
          new sdk.GetObjectCommand({ ...object, ...rangeHeader(range) }),
          sending,
        );
        const bytes = await readBody(answer, options);
        return range === undefined ? bytes : rangeOf(bytes, range, answer.ContentRange);
      } catch (error) {
        if (answeredName(error) === 'NoSuchKey') return undefined;
        if (answeredStatus(error) === 416) return Buffer.of();
        throw error;
      }
    });
  }

  #existing(): HoldfastError {
    return new HoldfastError('repository-exists', `There is a repository at ${this.location} already.`, {
      hint: 'Open it, or choose another place for the new one.',
    });
  }
}

function rangeHeader(range: ByteRange | undefined): { Range?: string } {
  return range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
}
