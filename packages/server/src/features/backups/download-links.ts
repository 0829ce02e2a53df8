import { type Clock, HoldfastError, isHoldfastError } from '@holdfast/base';
import { apiPrefix, type BackupId, backupIdSchema, downloadSchema } from '@holdfast/protocol';
import { z } from 'zod';
import type { Sealer } from '../../secrets/sealer.ts';

/** What a link is sealed as: nothing else that was sealed opens as one. */
const sealedAs = 'download-link';

const linkSchema = z.object({
  backupId: backupIdSchema,
  download: downloadSchema,
  expiresAtMs: z.int(),
});

export interface LinkedDownload {
  readonly backupId: BackupId;
  readonly download: z.infer<typeof downloadSchema>;
}

export interface DownloadLink {
  readonly path: string;
  readonly expiresAtMs: number;
}

/** Links that say themselves, sealed, what they are of and for how long: the server keeps nothing of them. */
export interface DownloadLinks {
  make(linked: LinkedDownload, validForMs: number): DownloadLink;
  /** @throws HoldfastError `unauthenticated` for one that this server did not make, or that is too old */
  open(link: string): LinkedDownload;
}

export function createDownloadLinks(sealer: Sealer, clock: Clock): DownloadLinks {
  return {
    make: (linked, validForMs) => {
      const expiresAtMs = clock.now() + validForMs;
      const link = sealer.seal(JSON.stringify({ ...linked, expiresAtMs }), sealedAs);
      return { path: `${apiPrefix}/downloads/${link}`, expiresAtMs };
    },
    open: (link) => {
      const { expiresAtMs, ...linked } = linkSchema.parse(JSON.parse(unsealed(sealer, link)));
      if (expiresAtMs < clock.now()) throw notValid('It is too old.');
      return linked;
    },
  };
}

function unsealed(sealer: Sealer, link: string): string {
  try {
    return sealer.unseal(link, sealedAs);
  } catch (error) {
    if (isHoldfastError(error, 'secret-unreadable'))
      throw notValid('It is not one of this server, or not whole.');
    throw error;
  }
}

function notValid(reason: string): HoldfastError {
  return new HoldfastError('unauthenticated', `The link is not valid. ${reason}`, {
    hint: 'Ask for a new one: holdfast backup:download --link.',
  });
}
