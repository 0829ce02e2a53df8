import { type ByteString, byteStringToBytes, isUtf8 } from './byte-string.ts';
import { formatFileTime, type TimeZone } from './file-time.ts';
import { encodeJsonString } from './json-string.ts';
import type { ExtendedAttribute, Node } from './node.ts';
import { quoteName } from './quoted-name.ts';

/** The JSON of one node, field by field in restic's order; a field that restic omits when empty is omitted. */
export function encodeNode(node: Node, zone: TimeZone): string {
  const modifiedAt = formatFileTime(node.modifiedAt, zone);
  const accessedAt = node.accessedAt === node.modifiedAt ? modifiedAt : formatFileTime(node.accessedAt, zone);
  let json = `{"name":${encodeJsonString(quoteName(node.name))},"type":"${node.type}"`;
  if (node.mode !== 0) json += `,"mode":${node.mode}`;
  json += `,"mtime":"${modifiedAt}","atime":"${accessedAt}","ctime":"${formatFileTime(node.changedAt, zone)}"`;
  json += `,"uid":${node.uid},"gid":${node.gid}`;
  if (node.user !== '') json += `,"user":${encodeJsonString(node.user)}`;
  if (node.group !== '') json += `,"group":${encodeJsonString(node.group)}`;
  if (node.inode !== 0n) json += `,"inode":${node.inode}`;
  if (node.deviceId !== 0n) json += `,"device_id":${node.deviceId}`;
  if (node.size !== 0) json += `,"size":${node.size}`;
  if (node.links !== 0) json += `,"links":${node.links}`;
  if (node.linkTarget !== '') json += encodeLinkTarget(node.linkTarget);
  if (node.extendedAttributes.length > 0) json += encodeAttributes(node.extendedAttributes);
  if (node.genericAttributes !== undefined) json += `,"generic_attributes":${node.genericAttributes}`;
  if (node.device !== 0n) json += `,"device":${node.device}`;
  json += `,"content":${encodeContent(node.content)}`;
  if (node.subtree !== undefined) json += `,"subtree":"${node.subtree}"`;
  if (node.error !== '') json += `,"error":${encodeJsonString(node.error)}`;
  return `${json}}`;
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
