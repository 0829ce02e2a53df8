import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';

const algorithm = 'aes-256-gcm';
export const sealKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts secrets for the catalog. A sealed text is bound to the id of its row: moved to another row, it does not
 * open.
 */
export interface Sealer {
  seal(secret: string, rowId: string): string;
  /** @throws HoldfastError `secret-unreadable` for another key, another row, or a text that was changed */
  unseal(sealed: string, rowId: string): string;
}

/** @param key 32 random bytes, kept outside of the catalog */
export function createSealer(key: Uint8Array): Sealer {
  const keyId = createHash('sha256').update('holdfast seal key ').update(key).digest('hex').slice(0, 8);

  return {
    seal: (secret, rowId) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(rowId));
      const box = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `1.${keyId}.${box.toString('base64url')}`;
    },

    unseal: (sealed, rowId) => {
      const [version, sealedBy, text = ''] = sealed.split('.');
      const box = Buffer.from(text, 'base64url');
      if (version !== '1' || box.length < nonceBytes + tagBytes) throw unreadable(rowId, 'It is damaged.');
      if (sealedBy !== keyId)
        throw unreadable(rowId, `It was sealed with the key ${sealedBy}, not ${keyId}.`);
      const decipher = createDecipheriv(algorithm, key, box.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(rowId))
        .setAuthTag(box.subarray(-tagBytes));
      try {
        const secret = decipher.update(box.subarray(nonceBytes, -tagBytes));
        return Buffer.concat([secret, decipher.final()]).toString('utf8');
      } catch (error) {
        throw unreadable(rowId, 'It is damaged, or of another row.', error);
      }
    },
  };
}

function unreadable(rowId: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('secret-unreadable', `The secret of ${rowId} cannot be opened. ${reason}`, {
    hint: 'Put back the seal.key that belongs to this catalog. Without it, the recovery key of the vault still opens every repository.',
    context: { rowId },
    ...(cause === undefined ? {} : { cause }),
  });
}
