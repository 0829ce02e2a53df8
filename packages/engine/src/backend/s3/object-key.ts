import { isId } from '../../format/id-codec.ts';
import type { FileName, ListedFileKind } from '../backend.ts';
import { folders } from '../local/layout.ts';

/** restic's default layout: `data` is spread over folders of two digits, also in a bucket. */
export function keyOf(prefix: string, file: FileName): string {
  if (file.kind === 'config') return `${prefix}config`;
  return `${listingPrefix(prefix, file.kind)}${nameIn(file.kind, file.id)}`;
}

/** What the keys of all files of the kind begin with. */
export function listingPrefix(prefix: string, kind: ListedFileKind): string {
  return `${prefix}${folders[kind]}/`;
}

/** The id of the file that has this key; undefined if it is none of that kind. */
export function idOfKey(prefix: string, kind: ListedFileKind, key: string): string | undefined {
  const name = key.slice(listingPrefix(prefix, kind).length);
  const id = name.slice(name.lastIndexOf('/') + 1);
  return isId(id) && name === nameIn(kind, id) ? id : undefined;
}

/** Whether any file of a repository under the prefix has this key. */
export function isKeyOfFile(prefix: string, key: string): boolean {
  if (key === keyOf(prefix, { kind: 'config' })) return true;
  const kinds = Object.keys(folders) as ListedFileKind[];
  return kinds.some(
    (kind) => key.startsWith(listingPrefix(prefix, kind)) && idOfKey(prefix, kind, key) !== undefined,
  );
}

function nameIn(kind: ListedFileKind, id: string): string {
  return kind === 'data' ? `${id.slice(0, 2)}/${id}` : id;
}
