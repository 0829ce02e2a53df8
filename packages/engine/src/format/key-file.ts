import { FieldReader } from './field-reader.ts';
import { damaged, decodeJsonObject, encodeJson } from './json.ts';

export interface ScryptParameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** A file in `keys/`: the master key, sealed with a key that scrypt makes from a password. Not encrypted itself. */
export interface KeyFile {
  /** RFC 3339. */
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
  readonly scrypt: ScryptParameters;
  readonly salt: Buffer;
  readonly sealedMasterKey: Buffer;
}

export function encodeKeyFile(key: KeyFile): Buffer {
  return encodeJson({
    created: key.created,
    username: key.username,
    hostname: key.hostname,
    kdf: 'scrypt',
    N: key.scrypt.N,
    r: key.scrypt.r,
    p: key.scrypt.p,
    salt: key.salt.toString('base64'),
    data: key.sealedMasterKey.toString('base64'),
  });
}

/** @throws HoldfastError `repository-damaged` */
export function decodeKeyFile(bytes: Uint8Array): KeyFile {
  const object = decodeJsonObject(bytes, 'key file');
  const fields = new FieldReader({ username: '', hostname: '', ...object }, 'key file');
  if (fields.string('kdf') !== 'scrypt') throw damaged('key file', 'its key derivation is not scrypt');
  return {
    created: fields.string('created'),
    username: fields.string('username'),
    hostname: fields.string('hostname'),
    scrypt: { N: fields.count('N'), r: fields.count('r'), p: fields.count('p') },
    salt: fields.base64('salt'),
    sealedMasterKey: fields.base64('data'),
  };
}

/** The three secrets that everything in a repository is sealed with. Never logged, never in an error. */
export interface MasterKeyBytes {
  /** 32 bytes, AES-256. */
  readonly encrypt: Buffer;
  /** 16 bytes, AES-128. */
  readonly macK: Buffer;
  /** 16 bytes, Poly1305. */
  readonly macR: Buffer;
}

export function encodeMasterKey(key: MasterKeyBytes): Buffer {
  return encodeJson({
    mac: { k: key.macK.toString('base64'), r: key.macR.toString('base64') },
    encrypt: key.encrypt.toString('base64'),
  });
}

/** @throws HoldfastError `repository-damaged` */
export function decodeMasterKey(bytes: Uint8Array): MasterKeyBytes {
  const fields = new FieldReader(decodeJsonObject(bytes, 'master key'), 'master key');
  const mac = fields.object('mac');
  return { encrypt: fields.base64('encrypt'), macK: mac.base64('k'), macR: mac.base64('r') };
}
