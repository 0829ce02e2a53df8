import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMasterKey, randomMasterKey } from './master-key.ts';
import { seal, sealOverheadBytes, unseal } from './seal.ts';

const key = randomMasterKey();

describe('seal', () => {
  it('is undone by unseal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (plaintext) => {
        const sealed = seal(key, plaintext);
        expect(sealed.length).toBe(plaintext.length + sealOverheadBytes);
        expect(unseal(key, sealed)).toEqual(Buffer.from(plaintext));
      }),
    );
  });

  it('gives other bytes each time', () => {
    const plaintext = Buffer.from('the same');
    expect(seal(key, plaintext)).not.toEqual(seal(key, plaintext));
  });

  it('matches the test vectors of the Poly1305-AES paper', () => {
    for (const { k, r, nonce, message, mac } of paperVectors) {
      const paperKey = checkMasterKey({ encrypt: Buffer.alloc(32), macK: hex(k), macR: hex(r) });
      const sealed = Buffer.concat([hex(nonce), hex(message), hex(mac)]);
      expect(unseal(paperKey, sealed)).toBeDefined();
    }
  });
});

describe('unseal', () => {
  it('refuses every change of a single bit', () => {
    const sealed = seal(key, Buffer.from('Nobody may change this.'));
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(unseal(key, altered)).toBeUndefined();
    }
  });

  it('refuses what is cut off, made longer, or sealed with another key', () => {
    const sealed = seal(key, Buffer.from('whole'));
    for (let length = 0; length < sealed.length; length += 1) {
      expect(unseal(key, sealed.subarray(0, length))).toBeUndefined();
    }
    expect(unseal(key, Buffer.concat([sealed, Buffer.of(0)]))).toBeUndefined();
    expect(unseal(randomMasterKey(), sealed)).toBeUndefined();
  });

  it('refuses garbage', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => unseal(key, bytes) === undefined));
  });
});

/** Bernstein, "The Poly1305-AES message-authentication code", appendix B: the messages are the ciphertexts here. */
const paperVectors = [
  {
    k: 'ec074c835580741701425b623235add6',
    r: '851fc40c3467ac0be05cc20404f3f700',
    nonce: 'fb447350c4e868c52ac3275cf9d4327e',
    message: 'f3f6',
    mac: 'f4c633c3044fc145f84f335cb81953de',
  },
  {
    k: '75deaa25c09f208e1dc4ce6b5cad3fbf',
    r: 'a0f3080000f46400d0c7e9076c834403',
    nonce: '61ee09218d29b0aaed7e154a2c5509cc',
    message: '',
    mac: 'dd3fab2251f11ac759f0887129cc2ee7',
  },
];

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
