import { HoldfastError } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import {
  type ByteString,
  byteStringToBytes,
  byteStringToText,
  type FilePath,
  toByteString,
} from '../format/byte-string.ts';
import { archiveDamaged, entryRefused } from './archive-errors.ts';
import { LimitGuard } from './archive-limits.ts';
import { type EntryPath, entryPathOf } from './entry-path.ts';
import type { EntryTree } from './entry-tree.ts';
import type { ChecksumLists, ImportedArchive, SavedArchiveTree } from './import-request.ts';
import type { ImportedParts } from './imported-parts.ts';
import { mostTextBytes } from './kept-contents.ts';
import { readEntries } from './read-entries.ts';
import { saveEntries } from './save-entries.ts';
import { verifyEntries } from './verify-entries.ts';

/** What was read of an archive, until it is disposed of. */
export function importedArchive(parts: ImportedParts): ImportedArchive {
  const { format, tree, nodes, spools } = parts;
  const bytesOf = async (path: FilePath): Promise<Buffer | undefined> => {
    const inode = fileAt(tree, path);
    return inode === undefined ? undefined : await contentOf(parts, inode, toByteString(path));
  };
  return {
    format,
    bytesOf,
    textOf: async (path) => (await bytesOf(path))?.toString(),
    namesIn: (path) => namesIn(tree, path),
    digestOf: (path) => {
      const inode = fileAt(tree, path);
      return inode === undefined ? undefined : nodes.digestAt(tree.nodeOffsetOf(inode));
    },
    verify: async (checksums: ChecksumLists, prefix: FilePath) =>
      await verifyEntries(parts, { checksums, prefix: pathOf(prefix) }),
    saveTree: async (path) => await saveTree(parts, path),
    [Symbol.asyncDispose]: async () => spools[Symbol.dispose](),
  };
}

function pathOf(path: FilePath): EntryPath {
  const bytes = toByteString(path);
  return bytes === '' ? [] : entryPathOf(bytes);
}

/** The inode of a regular file. */
function fileAt(tree: EntryTree, path: FilePath): number | undefined {
  const number = tree.find(pathOf(path));
  return number !== undefined && tree.kindOf(number) === 'file' ? tree.inodeOf(number) : undefined;
}

function namesIn(tree: EntryTree, path: FilePath): readonly string[] | undefined {
  const number = tree.find(pathOf(path));
  if (number === undefined || tree.kindOf(number) !== 'dir') return undefined;
  const names = [...tree.childrenOf(number)].map((child) => tree.nameOf(child)).sort();
  return names.map((name) => byteStringToBytes(name).toString());
}

async function contentOf(
  { request, format, packedBytes, tree, nodes, kept }: ImportedParts,
  inode: number,
  path: ByteString,
): Promise<Buffer> {
  const offset = tree.nodeOffsetOf(inode);
  const { size } = nodes.nodeAt(offset);
  if (size > mostTextBytes) throw entryRefused(path, `it is longer than ${mostTextBytes} bytes`);
  const content = kept.read(inode);
  if (content !== undefined) return content;
  const limits = new LimitGuard(request.limits, packedBytes);
  let left = tree.sourceOf(inode);
  const pieces: Uint8Array[] = [];
  for await (const entry of readEntries({ path: request.path, format, limits, signal: request.signal })) {
    if (left === 0) {
      for await (const piece of entry.content) pieces.push(piece);
      break;
    }
    left -= 1;
  }
  const bytes = Buffer.concat(pieces);
  if (sha256(bytes) === nodes.digestAt(offset)) return bytes;
  throw archiveDamaged('it has changed since it was read', { entry: path });
}

async function saveTree(parts: ImportedParts, path: FilePath): Promise<SavedArchiveTree> {
  const number = parts.tree.find(pathOf(path));
  const text = byteStringToText(toByteString(path));
  if (number === undefined) {
    throw new HoldfastError('path-unknown', `The archive has nothing at "${text}".`, {
      hint: 'List the archive to see what it has.',
      context: { path: text },
    });
  }
  if (parts.tree.kindOf(number) === 'symlink') {
    throw entryRefused(toByteString(path), 'it is a symbolic link, and those are not followed');
  }
  return await saveEntries(parts, number);
}
