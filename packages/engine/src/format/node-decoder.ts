import { type ByteString, bytesToByteString, emptyByteString } from './byte-string.ts';
import { type FileTime, parseFileTime } from './file-time.ts';
import { isNodeType } from './go-file-mode.ts';
import { asId, isId } from './id-codec.ts';
import type { BlobId } from './ids.ts';
import { damaged } from './json.ts';
import type { JsonScanner } from './json-scanner.ts';
import type { ExtendedAttribute, Node } from './node.ts';
import { unquoteName } from './quoted-name.ts';

type Draft = { -readonly [Field in keyof Node]: Node[Field] };
type ReadField = (scanner: JsonScanner, draft: Draft) => void;

const maxUint32 = 0xffff_ffff;
const epoch: FileTime = { seconds: 0, nanoseconds: 0 };

/** Reads one node. Fields that this version does not know are skipped. @throws HoldfastError `repository-damaged` */
export function decodeNode(scanner: JsonScanner): Node {
  const draft: Draft = {
    name: emptyByteString,
    type: 'irregular',
    mode: 0,
    modifiedAt: epoch,
    accessedAt: epoch,
    changedAt: epoch,
    uid: 0,
    gid: 0,
    user: emptyByteString,
    group: emptyByteString,
    inode: 0n,
    deviceId: 0n,
    size: 0,
    links: 0,
    linkTarget: emptyByteString,
    extendedAttributes: [],
    genericAttributes: undefined,
    device: 0n,
    content: null,
    subtree: undefined,
    error: emptyByteString,
  };
  scanner.object((key) => {
    const read = readField.get(key);
    if (read === undefined) scanner.raw();
    else if (!scanner.acceptNull()) read(scanner, draft);
  });
  return draft;
}

const readText = (scanner: JsonScanner): ByteString => scanner.string();
const readUint32 = (scanner: JsonScanner): number => scanner.count(maxUint32);
const readUint53 = (scanner: JsonScanner): number => scanner.count();
const readUint64 = (scanner: JsonScanner): bigint => scanner.unsigned();

const readField: ReadonlyMap<string, ReadField> = new Map<string, ReadField>([
  ['name', field('name', (scanner) => unquoteName(scanner.string()))],
  ['type', field('type', readType)],
  ['mode', field('mode', readUint32)],
  ['mtime', field('modifiedAt', readTime)],
  ['atime', field('accessedAt', readTime)],
  ['ctime', field('changedAt', readTime)],
  ['uid', field('uid', readUint32)],
  ['gid', field('gid', readUint32)],
  ['user', field('user', readText)],
  ['group', field('group', readText)],
  ['inode', field('inode', readUint64)],
  ['device_id', field('deviceId', readUint64)],
  ['size', field('size', readUint53)],
  ['links', field('links', readUint53)],
  ['linktarget', readLinkTarget],
  ['linktarget_raw', field('linkTarget', (scanner) => bytesToByteString(readBase64(scanner)))],
  ['extended_attributes', field('extendedAttributes', readAttributes)],
  ['generic_attributes', field('genericAttributes', (scanner) => scanner.raw())],
  ['device', field('device', readUint64)],
  ['content', field('content', readContent)],
  ['subtree', field('subtree', readId)],
  ['error', field('error', readText)],
]);

function field<Field extends keyof Node>(
  name: Field,
  read: (scanner: JsonScanner) => Node[Field],
): ReadField {
  return (scanner, draft) => {
    draft[name] = read(scanner);
  };
}

/** The raw form wins, wherever it stands. */
function readLinkTarget(scanner: JsonScanner, draft: Draft): void {
  const target = scanner.string();
  if (draft.linkTarget === '') draft.linkTarget = target;
}

/** A type that this version does not know cannot be restored: it is `irregular`. */
function readType(scanner: JsonScanner): Node['type'] {
  const type = scanner.string();
  return isNodeType(type) ? type : 'irregular';
}

function readTime(scanner: JsonScanner): FileTime {
  const time = parseFileTime(scanner.string());
  if (time === undefined) throw damaged('tree', 'a time in it is not a time');
  return time;
}

function readId(scanner: JsonScanner): BlobId {
  const text = scanner.string();
  if (!isId(text)) throw damaged('tree', 'an id in it is not an id');
  return asId(text);
}

function readContent(scanner: JsonScanner): BlobId[] {
  const content: BlobId[] = [];
  for (let more = scanner.beginArray(); more; more = scanner.nextItem()) content.push(readId(scanner));
  return content;
}

function readBase64(scanner: JsonScanner): Buffer {
  const text = scanner.string();
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw damaged('tree', 'bytes in it are not in base64');
  return bytes;
}

function readAttributes(scanner: JsonScanner): ExtendedAttribute[] {
  const attributes: ExtendedAttribute[] = [];
  for (let more = scanner.beginArray(); more; more = scanner.nextItem()) {
    let name: ByteString = emptyByteString;
    let value: Uint8Array = Buffer.alloc(0);
    scanner.object((key) => {
      if (key === 'name') name = scanner.string();
      else if (key !== 'value') scanner.raw();
      else if (!scanner.acceptNull()) value = readBase64(scanner);
    });
    attributes.push({ name, value });
  }
  return attributes;
}
