import { byteStringToText, type FileTime, formatFileTime, type Node } from '@holdfast/engine';
import { formatTime } from '../output/quantities.ts';

/** An entry of a snapshot; its path is for people, from the snapshot's top. */
export interface ListedEntry {
  readonly path: string;
  readonly node: Node;
}

const typeLetters: Readonly<Record<Node['type'], string>> = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  dev: 'b',
  chardev: 'c',
  fifo: 'p',
  socket: 's',
  irregular: '?',
};

/** `drwxr-xr-x  root  root  0  2026-11-21T02:17:02+00:00  /etc`, a link with where it leads. */
export function nodeLine({ path, node }: ListedEntry): string {
  const owner = nameOr(node.user, node.uid).padEnd(8);
  const group = nameOr(node.group, node.gid).padEnd(8);
  const size = node.size.toString().padStart(12);
  const time = formatTime(node.modifiedAt.seconds * 1000);
  const target = node.type === 'symlink' ? ` -> ${byteStringToText(node.linkTarget)}` : '';
  return `${typeLetters[node.type]}${permissionLetters(node.mode)} ${owner} ${group} ${size} ${time} ${path}${target}`;
}

/** As restic's `ls --json` has it. */
export function nodeJson({ path, node }: ListedEntry): object {
  return {
    message_type: 'node',
    name: byteStringToText(node.name),
    type: node.type,
    path,
    uid: node.uid,
    gid: node.gid,
    ...(node.type === 'file' ? { size: node.size } : {}),
    mode: node.mode,
    permissions: `${typeLetters[node.type]}${permissionLetters(node.mode)}`,
    mtime: timeText(node.modifiedAt),
    atime: timeText(node.accessedAt),
    ctime: timeText(node.changedAt),
  };
}

function timeText(time: FileTime): string {
  return formatFileTime(time, 'local');
}

function nameOr(name: Node['user'], id: number): string {
  const text = byteStringToText(name);
  return text === '' ? id.toString() : text;
}

/** `rwxr-x---`, by the nine permission bits. */
function permissionLetters(mode: number): string {
  return [...'rwxrwxrwx'].map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-')).join('');
}
