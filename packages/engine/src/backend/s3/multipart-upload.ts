import { sha256OfParts } from '../../crypto/hash.ts';
import type { TransferOptions } from '../backend.ts';
import { bodyOf, sliceParts } from './object-body.ts';
import { withPayloadHash } from './payload-hash.ts';
import type { S3Access } from './s3-client.ts';

export interface MultipartUpload {
  readonly bucket: string;
  readonly key: string;
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** Of each part but the last. */
  readonly partBytes: number;
}

/**
 * Sends a large file in several requests. It is there when this resolves, and not before; what was sent of one that
 * fails is taken back, unless the storage does not answer any more: then `removeLeftovers` finds it.
 */
export async function uploadInParts(
  { sdk, client }: S3Access,
  { bucket, key, parts, sizeBytes, partBytes }: MultipartUpload,
  options: TransferOptions,
): Promise<void> {
  const { signal } = options;
  const abortable = signal === undefined ? {} : { abortSignal: signal };
  const object = { Bucket: bucket, Key: key };
  const created = await client.send(new sdk.CreateMultipartUploadCommand(object), abortable);
  const upload = { ...object, UploadId: created.UploadId };
  try {
    const sent: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let offset = 0; offset < sizeBytes; offset += partBytes) {
      const slices = sliceParts(parts, { offset, length: partBytes });
      const command = new sdk.UploadPartCommand({
        ...upload,
        PartNumber: sent.length + 1,
        Body: bodyOf(slices, options),
        ContentLength: Math.min(partBytes, sizeBytes - offset),
      });
      withPayloadHash(command, sha256OfParts(slices));
      const { ETag } = await client.send(command, abortable);
      sent.push({ PartNumber: sent.length + 1, ETag });
    }
    const MultipartUpload = { Parts: sent };
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload }), abortable);
  } catch (error) {
    try {
      await client.send(new sdk.AbortMultipartUploadCommand(upload));
    } catch {
      // The first failure is the one to tell.
    }
    throw error;
  }
}
