import { HoldfastError } from '@holdfast/base';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';

/** Something that an archive may hold and that is not taken over: nobody can say what it would become. */
export function entryRefused(path: ByteString, reason: string, hint?: string): HoldfastError {
  const entry = byteStringToText(path);
  return new HoldfastError('archive-refused', `The archive's entry "${entry}" is not accepted: ${reason}.`, {
    hint: hint ?? 'Make the archive again without it.',
    context: { entry, reason },
  });
}

export function unknownArchive(): HoldfastError {
  return new HoldfastError('archive-refused', 'The file is no archive of a kind that is known.', {
    hint: 'Hand in a tar archive, plain or compressed with gzip or zstd, or a zip archive.',
    context: { entry: '', reason: 'it is no archive of a kind that is known' },
  });
}

export interface DamageDetails {
  readonly entry?: ByteString | undefined;
  readonly cause?: unknown;
}

/** `reason`: what is wrong with the archive, or with the entry if one is named. */
export function archiveDamaged(reason: string, { entry, cause }: DamageDetails = {}): HoldfastError {
  const text = entry === undefined ? undefined : byteStringToText(entry);
  const subject = text === undefined ? 'The archive' : `The archive's entry "${text}"`;
  return new HoldfastError('archive-damaged', `${subject} is damaged: ${reason}.`, {
    hint: 'Transfer the archive again, or make it anew.',
    context: { reason, ...(text === undefined ? {} : { entry: text }) },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What a library said about an archive that it could not read. A `HoldfastError` comes back as it is. */
export function unreadableArchive(error: unknown, entry?: ByteString): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return archiveDamaged(`it cannot be read (${reason})`, { entry, cause: error });
}
