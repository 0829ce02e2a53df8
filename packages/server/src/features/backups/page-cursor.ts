import { HoldfastError } from '@holdfast/base';
import { backupIdSchema } from '@holdfast/protocol';
import type { BackupCursor } from './backup-record.ts';

/** The cursor as the text that the API hands out. */
export function cursorText({ createdAtMs, id }: BackupCursor): string {
  return `${createdAtMs}-${id}`;
}

/** @throws HoldfastError `usage-invalid` for a text that the API has not handed out */
export function parseCursor(text: string): BackupCursor {
  const parts = /^(?<createdAtMs>[0-9]{1,15})-(?<id>.+)$/.exec(text)?.groups;
  const id = backupIdSchema.safeParse(parts?.id);
  if (id.success) return { createdAtMs: Number(parts?.createdAtMs), id: id.data };
  throw new HoldfastError('usage-invalid', 'query.after is not the next of a page.', {
    hint: 'Leave it out to begin with the newest.',
  });
}
