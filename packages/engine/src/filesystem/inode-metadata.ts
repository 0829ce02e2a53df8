import { fchmodSync, fchownSync } from 'node:fs';
import { systemErrorCode } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import { sameTime } from '../format/file-time.ts';
import { goModeOf, nodeTypeOf, permissionsOf, unixMode } from '../format/go-file-mode.ts';
import type { ExtendedAttribute, Node } from '../format/node.ts';
import {
  type AttributeHolder,
  attributeNames,
  readAttributes,
  removeAttribute,
  setAttribute,
} from './extended-attributes.ts';
import type { FileStatus } from './file-status.ts';
import {
  type Owner,
  procPath,
  setModeOfPath,
  setOwnerAt,
  setTimes,
  setTimesAt,
  type Times,
} from './metadata.ts';
import { openPathAt } from './open.ts';

/** What an inode has beside its content, of a node. */
export type InodeMetadata = Pick<
  Node,
  'type' | 'mode' | 'uid' | 'gid' | 'accessedAt' | 'modifiedAt' | 'extendedAttributes'
>;

/** The ways to set what an inode has beside its content. */
export interface MetadataTarget {
  readonly attributes: AttributeHolder;
  setOwner(owner: Owner): void;
  setMode(mode: number): void;
  setTimes(times: Times): void;
}

export function openFileTarget(descriptor: number): MetadataTarget {
  return {
    attributes: descriptor,
    setOwner: ({ uid, gid }) => fchownSync(descriptor, uid, gid),
    setMode: (mode) => fchmodSync(descriptor, mode),
    setTimes: (times) => setTimes(descriptor, times),
  };
}

/** For what must not be opened: symbolic links, pipes, devices. */
export function entryTarget(directory: number, name: ByteString): MetadataTarget {
  return {
    attributes: procPath(directory, name),
    setOwner: (owner) => setOwnerAt(directory, name, owner),
    setMode: (mode) => {
      using inode = openPathAt(directory, name);
      setModeOfPath(inode.number, mode);
    },
    setTimes: (times) => setTimesAt(directory, name, times),
  };
}

/** Told of every part that could not be set; the others are set all the same. */
export type OnMetadataFailure = (what: string, error: unknown) => void;

export interface RestoreMetadataOptions {
  /** What the inode has now, where it was there before: what is right already is not touched, nor is its ctime. */
  readonly current?: FileStatus | undefined;
  readonly onFailure: OnMetadataFailure;
}

/**
 * Gives an inode the owner, attributes, mode and times of a node. In this order: a new owner takes away setuid and
 * capabilities, an ACL changes the mode, and all of them leave times alone.
 */
export function restoreMetadata(
  target: MetadataTarget,
  node: InodeMetadata,
  options: RestoreMetadataOptions,
): void {
  const { current, onFailure } = options;
  const attempt = (what: string, set: () => void): void => {
    try {
      set();
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      onFailure(what, error);
    }
  };
  const isNewOwner = current === undefined || current.uid !== node.uid || current.gid !== node.gid;
  if (isNewOwner) attempt('its owner', () => target.setOwner(node));
  attempt('its extended attributes', () => restoreAttributes(target.attributes, node, attempt));
  const mode = permissionsOf(node.mode);
  const hasMode = !isNewOwner && (current.mode & allPermissions) === mode && !hasAcl(node);
  if (node.type !== 'symlink' && !hasMode) attempt('its mode', () => target.setMode(mode));
  if (current === undefined || !sameTime(current.modifiedAt, node.modifiedAt)) {
    attempt('its times', () => target.setTimes(node));
  }
}

/** What an inode has now, all that `restoreMetadata` may change. */
export function readMetadata(target: MetadataTarget, status: FileStatus): InodeMetadata {
  const { uid, gid, accessedAt, modifiedAt } = status;
  const extendedAttributes = readAttributes(target.attributes);
  const mode = goModeOf(status.mode);
  return { type: nodeTypeOf(status.mode), mode, uid, gid, accessedAt, modifiedAt, extendedAttributes };
}

/** Whether `restoreMetadata` has nothing to do. */
export function hasMetadata(target: MetadataTarget, status: FileStatus, node: InodeMetadata): boolean {
  if (status.uid !== node.uid || status.gid !== node.gid) return false;
  if (!sameTime(status.modifiedAt, node.modifiedAt)) return false;
  const mode = status.mode & allPermissions;
  if (node.type !== 'symlink' && mode !== permissionsOf(node.mode)) return false;
  const values = new Map(readAttributes(target.attributes).map(({ name, value }) => [name, value]));
  for (const { name, value } of node.extendedAttributes) {
    if (!values.has(name) || Buffer.compare(values.get(name) ?? Buffer.alloc(0), value) !== 0) return false;
    values.delete(name);
  }
  return ![...values.keys()].some((name) => removable.test(name));
}

const allPermissions = unixMode.permissions | unixMode.setuid | unixMode.setgid | unixMode.sticky;

function hasAcl(node: InodeMetadata): boolean {
  return node.extendedAttributes.some(({ name }) => name.startsWith('system.posix_acl_'));
}

/**
 * Sets what differs and removes what the node lacks, of the kinds that backups hold. Labels that the system itself
 * gives to every file, such as SELinux's, stay where the node has none.
 */
function restoreAttributes(
  holder: AttributeHolder,
  node: InodeMetadata,
  attempt: (what: string, set: () => void) => void,
): void {
  const wanted = new Map(node.extendedAttributes.map((attribute) => [attribute.name, attribute]));
  const present = wanted.size === 0 ? withoutValues(attributeNames(holder)) : readAttributes(holder);
  for (const { name } of present) {
    const isExtra = !wanted.has(name) && removable.test(name);
    if (isExtra) attempt(`the lack of the extended attribute ${name}`, () => removeAttribute(holder, name));
  }
  const values = new Map(present.map(({ name, value }) => [name, Buffer.from(value)]));
  for (const attribute of wanted.values()) {
    if (values.get(attribute.name)?.equals(attribute.value)) continue;
    attempt(`the extended attribute ${attribute.name}`, () => setAttribute(holder, attribute));
  }
}

const removable = /^(?:user\.|trusted\.|system\.posix_acl_|security\.capability$)/;

function withoutValues(names: readonly ByteString[]): ExtendedAttribute[] {
  return names.map((name) => ({ name, value: Buffer.alloc(0) }));
}
