import { type ByteString, byteStringToBytes, isUtf8 } from './byte-string.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { TimeZone } from './file-time.ts';
import { FileTimeWriter } from './file-time-writer.ts';
import { encodeJsonString } from './json-string.ts';
import type { ExtendedAttribute, Node } from './node.ts';
import { quoteName } from './quoted-name.ts';

/** What a node has before its content: all that the file system tells of an inode without opening it. */
export type NodeHead = Omit<Node, 'content' | 'subtree' | 'error'>;

/** The JSON of nodes, field by field in restic's order; a field that restic omits when empty is omitted. */
export class NodeEncoder {
  readonly #times: FileTimeWriter;

  constructor(zone: TimeZone) {
    this.#times = new FileTimeWriter(zone);
  }

  write(into: ByteWriter, node: Node): void {
    this.writeHead(into, node);
    into.text(',"content":');
    into.text(encodeContent(node.content));
    if (node.subtree !== undefined) into.text(`,"subtree":"${node.subtree}"`);
    if (node.error !== '') into.text(`,"error":${encodeJsonString(node.error)}`);
    into.text('}');
  }

  /** The node up to its content: what follows is `,"content":`. */
  writeHead(into: ByteWriter, node: NodeHead): void {
    into.text('{"name":');
    into.text(encodeJsonString(quoteName(node.name)));
    into.text(',"type":"');
    into.text(node.type);
    into.text('"');
    if (node.mode !== 0) writeCount(into, ',"mode":', node.mode);
    this.#writeTimes(into, node);
    writeCount(into, ',"uid":', node.uid);
    writeCount(into, ',"gid":', node.gid);
    if (node.user !== '') writeText(into, ',"user":', node.user);
    if (node.group !== '') writeText(into, ',"group":', node.group);
    if (node.inode !== 0n) writeUint64(into, ',"inode":', node.inode);
    if (node.deviceId !== 0n) writeUint64(into, ',"device_id":', node.deviceId);
    if (node.size !== 0) writeCount(into, ',"size":', node.size);
    if (node.links !== 0) writeCount(into, ',"links":', node.links);
    if (node.linkTarget !== '') into.text(encodeLinkTarget(node.linkTarget));
    if (node.extendedAttributes.length > 0) into.text(encodeAttributes(node.extendedAttributes));
    if (node.genericAttributes !== undefined) into.text(`,"generic_attributes":${node.genericAttributes}`);
    if (node.device !== 0n) writeUint64(into, ',"device":', node.device);
  }

  #writeTimes(into: ByteWriter, { modifiedAt, accessedAt, changedAt }: NodeHead): void {
    into.text(',"mtime":"');
    this.#times.write(into, modifiedAt);
    into.text('","atime":"');
    this.#times.write(into, accessedAt);
    into.text('","ctime":"');
    this.#times.write(into, changedAt);
    into.text('"');
  }
}

function writeCount(into: ByteWriter, key: string, value: number): void {
  into.text(key);
  into.decimal(value);
}

function writeUint64(into: ByteWriter, key: string, value: bigint): void {
  into.text(key);
  if (value <= Number.MAX_SAFE_INTEGER) into.decimal(Number(value));
  else into.text(String(value));
}

function writeText(into: ByteWriter, key: string, value: ByteString): void {
  into.text(key);
  into.text(encodeJsonString(value));
}

/** A target that is not UTF-8 is there twice: damaged for old readers, and raw. */
function encodeLinkTarget(target: ByteString): string {
  const text = `,"linktarget":${encodeJsonString(target)}`;
  if (isUtf8(target)) return text;
  return `${text},"linktarget_raw":"${byteStringToBytes(target).toString('base64')}"`;
}

function encodeAttributes(attributes: readonly ExtendedAttribute[]): string {
  const items = attributes.map(
    ({ name, value }) =>
      `{"name":${encodeJsonString(name)},"value":"${Buffer.from(value).toString('base64')}"}`,
  );
  return `,"extended_attributes":[${items.join(',')}]`;
}

function encodeContent(content: Node['content']): string {
  if (content === null) return 'null';
  return content.length === 0 ? '[]' : `["${content.join('","')}"]`;
}
