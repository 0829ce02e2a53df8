/** An entry of a tar archive as it stands there, with whatever is to be wrong about it. */
export interface TarMemberBytes {
  readonly path: string;
  readonly type?: string;
  readonly content?: Buffer | string;
  readonly linkPath?: string;
  readonly mode?: number;
  /** What the header says; default: what there is. */
  readonly claimedBytes?: number;
  readonly pax?: Readonly<Record<string, string | Buffer>>;
}

export const tarEndBytes = Buffer.alloc(1024);

/** A whole archive. */
export function tarOf(...members: readonly TarMemberBytes[]): Buffer {
  return Buffer.concat([...members.map(tarMember), tarEndBytes]);
}

/** Header blocks, content and padding. */
export function tarMember(member: TarMemberBytes): Buffer {
  const { pax, ...plain } = member;
  const before = pax === undefined ? [] : [plainMember({ path: 'pax', type: 'x', content: paxOf(pax) })];
  return Buffer.concat([...before, plainMember(plain)]);
}

function plainMember({
  path,
  type = '0',
  content = '',
  linkPath = '',
  mode = 0o644,
  ...rest
}: TarMemberBytes): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number): void => {
    header.write(value.toString(8).padStart(length - 1, '0'), offset);
  };
  header.write(path, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(rest.claimedBytes ?? bytes.length, 124, 12);
  octal(1_000_000_000, 136, 12);
  header.write(type, 156);
  header.write(linkPath, 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  octal(sumOf(header), 148, 7);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function sumOf(header: Buffer): number {
  let sum = 0;
  for (const byte of header) sum += byte;
  return sum;
}

function paxOf(records: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(
    Object.entries(records).map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      let length = rest.length + 1;
      while (length !== rest.length + String(length).length) length += 1;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}
