import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { RouteBody, Routes } from '@holdfast/protocol';
import { Option } from 'commander';
import { sizeBytes } from '../../command/arguments.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { CliContext } from '../../context.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

/** Where a vault is and how it is reached: of `vault:add` and `vault:update`. */
export interface PlaceOptions extends ServerOptions {
  readonly path?: string;
  readonly s3?: string;
  readonly keyId?: string;
  readonly keySecretFile?: string;
  readonly region?: string;
  readonly bucketLookup?: 'auto' | 'dns' | 'path';
  /** `none` takes the limit back. */
  readonly limitUpload?: number | 'none';
  readonly capacity?: number | 'none';
}

type S3 = NonNullable<RouteBody<Routes['vault.add']>['s3']>;
type Limits = Pick<RouteBody<Routes['vault.add']>, 'uploadBytesPerSecond' | 'capacityBytes'>;

export function placeOptions(command: CliCommand): CliCommand {
  return command
    .option('--path <directory>', "a directory of the server's machine")
    .option('--s3 <endpoint/bucket>', 'a bucket, with a folder in it or without: HOST/BUCKET/FOLDER')
    .option('--key-id <id>', 'the access key of the bucket')
    .option('--key-secret-file <file>', 'file with its secret key; - for standard input')
    .option('--region <name>', "of the bucket, where the server's name does not tell it")
    .addOption(
      new Option('--bucket-lookup <how>', "name the bucket in the path, or in the server's name").choices([
        'auto',
        'dns',
        'path',
      ]),
    )
    .option('--limit-upload <size>', 'send at most so much a second, as in 5M; none: no limit', sizeOrNone)
    .option('--capacity <size>', 'be told when more is kept there, as in 500G; none: no limit', sizeOrNone);
}

/** Not null: of an option that is null, the library makes an empty text. */
function sizeOrNone(text: string): number | 'none' {
  return text === 'none' ? text : sizeBytes(text);
}

/** As the server takes it; undefined where neither was given. @throws HoldfastError `usage-invalid` */
export function locationOf(context: CliContext, { path, s3 }: PlaceOptions): string | undefined {
  if (path !== undefined && s3 !== undefined)
    throw invalid('Give --path or --s3, not both.', 'A vault is in one place.');
  if (path !== undefined) return resolve(context.folder, path);
  if (s3 === undefined) return undefined;
  const bare = s3.replace(/^s3:(?:\/\/)?/, '');
  return `s3:${/^https?:\/\//.test(bare) ? bare : `https://${bare}`}`;
}

/** Undefined where no credentials were given. @throws HoldfastError `usage-invalid`, `secret-unreadable` */
export async function s3Of(context: CliContext, options: PlaceOptions): Promise<S3 | undefined> {
  const { keyId, keySecretFile, region, bucketLookup } = options;
  const given = [keyId, keySecretFile, region, bucketLookup];
  if (given.every((each) => each === undefined)) return undefined;
  if (keyId === undefined || keySecretFile === undefined) {
    throw invalid(
      'A bucket needs both halves of its key.',
      'Give --key-id, and --key-secret-file with a file that holds the secret key.',
    );
  }
  const keySecret = (await readGiven(context, keySecretFile)).trim();
  if (keySecret === '') throw invalid(`${keySecretFile} is empty.`, 'It has to hold the secret key, alone.');
  return {
    keyId,
    keySecret,
    ...(region === undefined ? {} : { region }),
    ...(bucketLookup === undefined ? {} : { bucketLookup }),
  };
}

export function limitsOf({ limitUpload, capacity }: PlaceOptions): Limits {
  return {
    ...(limitUpload === undefined
      ? {}
      : { uploadBytesPerSecond: limitUpload === 'none' ? null : limitUpload }),
    ...(capacity === undefined ? {} : { capacityBytes: capacity === 'none' ? null : capacity }),
  };
}

/** @throws HoldfastError `secret-unreadable` */
export async function readGiven(context: CliContext, file: string): Promise<string> {
  try {
    if (file !== '-') return await readFile(resolve(context.folder, file), 'utf8');
    const chunks: Buffer[] = [];
    for await (const chunk of context.input) chunks.push(Buffer.from(chunk as Uint8Array));
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    const reason = systemErrorCode(error) ?? 'unknown reason';
    throw new HoldfastError('secret-unreadable', `${file} cannot be read (${reason}).`, {
      hint: 'Name a file that you may read.',
      cause: error,
    });
  }
}

function invalid(message: string, hint: string): HoldfastError {
  return new HoldfastError('usage-invalid', message, { hint });
}
