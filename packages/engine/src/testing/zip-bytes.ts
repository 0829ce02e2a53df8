import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a zip archive, with whatever is to be wrong about it. */
export interface ZipMember {
  readonly name: string | Buffer;
  readonly content?: Buffer;
  /** `st_mode`; undefined for an archive that was not made on Unix. */
  readonly mode?: number;
  readonly isStored?: boolean;
  readonly flags?: number;
  readonly method?: number;
  readonly extra?: Buffer;
  readonly claimedBytes?: number;
  readonly claimedChecksum?: number;
}

export interface ZipOptions {
  readonly claimedEntries?: number;
}

const utf8Names = 0x800;
/** 2001-02-03 04:05:06 */
const dosDate = ((2001 - 1980) << 9) | (2 << 5) | 3;
const dosTime = (4 << 11) | (5 << 5) | 3;

export function zipOf(members: readonly ZipMember[], { claimedEntries }: ZipOptions = {}): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const content = member.content ?? Buffer.alloc(0);
    const packed = member.isStored === true ? content : deflateRawSync(content);
    const name = Buffer.from(member.name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(member.flags ?? utf8Names, 2);
    shared.writeUInt16LE(member.method ?? (member.isStored === true ? 0 : 8), 4);
    shared.writeUInt16LE(dosTime, 6);
    shared.writeUInt16LE(dosDate, 8);
    shared.writeUInt32LE(member.claimedChecksum ?? crc32(content), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(member.claimedBytes ?? content.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const extra = member.extra ?? Buffer.alloc(0);
    const localHeader = Buffer.concat([Buffer.from('PK\x03\x04'), shared, name, packed]);
    shared.writeUInt16LE(extra.length, 24);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((member.mode ?? 0) * 0x10000) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    const madeBy = Buffer.from([20, member.mode === undefined ? 0 : 3]);
    central.push(Buffer.from('PK\x01\x02'), madeBy, shared, rest, name, extra);
    local.push(localHeader);
    offset += localHeader.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(claimedEntries ?? members.length, 8);
  end.writeUInt16LE(claimedEntries ?? members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
