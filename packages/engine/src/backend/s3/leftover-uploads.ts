import type { ListMultipartUploadsCommandInput, ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { isKeyOfFile } from './object-key.ts';
import type { S3Access } from './s3-client.ts';
import type { S3Location } from './s3-location.ts';

export interface LeftoverScope {
  readonly writtenBeforeMs: number;
  readonly sending: { readonly abortSignal?: AbortSignal };
}

/** Ends unfinished multipart uploads of a repository's files that were begun before that moment; how many. */
export async function removeUnfinishedUploads(
  { sdk, client }: S3Access,
  { bucket, prefix }: S3Location,
  { writtenBeforeMs, sending }: LeftoverScope,
): Promise<number> {
  let removed = 0;
  let from: Position | undefined = {};
  while (from !== undefined) {
    const listing: ListMultipartUploadsCommandInput = { Bucket: bucket, Prefix: prefix, ...from };
    const page: ListMultipartUploadsCommandOutput = await client.send(
      new sdk.ListMultipartUploadsCommand(listing),
      sending,
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
      if (Initiated.getTime() >= writtenBeforeMs || !isKeyOfFile(prefix, Key)) continue;
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }), sending);
      removed += 1;
    }
    from = positionAfter(page);
  }
  return removed;
}

type Position = Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'>;

function positionAfter(page: ListMultipartUploadsCommandOutput): Position | undefined {
  if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return undefined;
  return { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
}
