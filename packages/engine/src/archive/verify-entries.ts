import { type ByteString, bytesToByteString, toByteString } from '../format/byte-string.ts';
import { archiveDamaged } from './archive-errors.ts';
import { type EntryPath, entryPathOf } from './entry-path.ts';
import type { ChecksumLists } from './import-request.ts';
import type { ImportedParts } from './imported-parts.ts';
import { Turns } from './turns.ts';

/** How a name is written that would not fit into a line. */
const escapes: ReadonlyMap<string, string> = new Map([
  ['\\\\', '\\'],
  ['\\n', '\n'],
  ['\\r', '\r'],
]);

export interface VerifyEntriesRequest {
  readonly checksums: ChecksumLists;
  readonly prefix: EntryPath;
}

type Parts = Pick<ImportedParts, 'request' | 'tree' | 'nodes'>;

/** See `ImportedArchive.verify`. */
export async function verifyEntries(
  parts: Parts,
  { checksums, prefix }: VerifyEntriesRequest,
): Promise<void> {
  const { request, tree } = parts;
  const turns = new Turns(request);
  const isListed = new Uint8Array(tree.inodeCount);
  for await (const list of listsOf(checksums)) {
    for (const { path, digest } of linesOf(list)) {
      await turns.step();
      isListed[verifiedInode(parts, path, digest)] = 1;
    }
  }
  const top = tree.find(prefix);
  if (top === undefined) return;
  const isBeneath = new Uint8Array(tree.entryCount);
  isBeneath[top] = 1;
  for (let number = top; number < tree.entryCount; number += 1) {
    if (number !== top) isBeneath[number] = isBeneath[tree.parentOf(number) ?? number] ?? 0;
    if (isBeneath[number] === 0 || tree.kindOf(number) !== 'file') continue;
    const inode = tree.inodeOf(number);
    if (inode !== undefined && isListed[inode] === 1) continue;
    throw archiveDamaged('the checksums do not list it', { entry: tree.pathOf(number) });
  }
}

/** The inode of the file at that path, which has that content. */
function verifiedInode({ tree, nodes }: Parts, path: ByteString, digest: string): number {
  const number = tree.find(entryPathOf(path));
  const inode = number !== undefined && tree.kindOf(number) === 'file' ? tree.inodeOf(number) : undefined;
  if (inode === undefined) throw archiveDamaged('the checksums list it, and it is no file', { entry: path });
  if (nodes.digestAt(tree.nodeOffsetOf(inode)) === digest) return inode;
  throw archiveDamaged('its content differs from its checksum', { entry: path });
}

async function* listsOf(checksums: ChecksumLists): AsyncGenerator<ByteString, void> {
  if (typeof checksums === 'string' || checksums instanceof Uint8Array) yield bytesOf(checksums);
  else for await (const list of checksums) yield bytesOf(list);
}

function bytesOf(list: string | Uint8Array): ByteString {
  return typeof list === 'string' ? toByteString(list) : bytesToByteString(list);
}

/** Lines as `sha256sum` writes them: one that begins with a backslash has a name with escapes. */
function* linesOf(list: ByteString): Generator<{ readonly path: ByteString; readonly digest: string }, void> {
  for (const line of list.split('\n')) {
    if (line === '') continue;
    const parts = /^(\\?)([0-9a-f]{64}) [ *](.+)$/s.exec(line);
    if (parts === null) throw archiveDamaged('its checksums have a line that is none');
    const [, escaped, digest = '', name = ''] = parts;
    const path = escaped === '' ? name : name.replaceAll(/\\[\\nr]/g, (text) => escapes.get(text) ?? text);
    yield { path: path as ByteString, digest };
  }
}
