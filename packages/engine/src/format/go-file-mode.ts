/**
 * Trees keep modes as bits of Go's `os.FileMode`: the nine permission bits as in Unix, type and special bits elsewhere.
 */
export const goMode = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  namedPipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  characterDevice: 2 ** 21,
  sticky: 2 ** 20,
  irregular: 2 ** 19,
  permissions: 0o777,
} as const;

/** Bits of `st_mode`. */
export const unixMode = {
  typeMask: 0o170000,
  socket: 0o140000,
  symlink: 0o120000,
  regular: 0o100000,
  blockDevice: 0o060000,
  directory: 0o040000,
  characterDevice: 0o020000,
  namedPipe: 0o010000,
  setuid: 0o4000,
  setgid: 0o2000,
  sticky: 0o1000,
  permissions: 0o777,
} as const;

export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';

interface TypeBits {
  readonly unix: number;
  readonly go: number;
}

const bitsOfType: Readonly<Record<NodeType, TypeBits>> = {
  file: { unix: unixMode.regular, go: 0 },
  dir: { unix: unixMode.directory, go: goMode.directory },
  symlink: { unix: unixMode.symlink, go: goMode.symlink },
  dev: { unix: unixMode.blockDevice, go: goMode.device },
  chardev: { unix: unixMode.characterDevice, go: goMode.device + goMode.characterDevice },
  fifo: { unix: unixMode.namedPipe, go: goMode.namedPipe },
  socket: { unix: unixMode.socket, go: goMode.socket },
  irregular: { unix: 0, go: goMode.irregular },
};

const typeOfUnixBits: ReadonlyMap<number, NodeType> = new Map(
  Object.entries(bitsOfType).map(([type, { unix }]) => [unix, type as NodeType]),
);

export function isNodeType(text: string): text is NodeType {
  return Object.hasOwn(bitsOfType, text);
}

export function nodeTypeOf(stMode: number): NodeType {
  return typeOfUnixBits.get(stMode & unixMode.typeMask) ?? 'irregular';
}

export function goModeOf(stMode: number): number {
  let mode = bitsOfType[nodeTypeOf(stMode)].go + (stMode & unixMode.permissions);
  if ((stMode & unixMode.setuid) !== 0) mode += goMode.setuid;
  if ((stMode & unixMode.setgid) !== 0) mode += goMode.setgid;
  if ((stMode & unixMode.sticky) !== 0) mode += goMode.sticky;
  return mode;
}

/** Permission, setuid, setgid and sticky bits, as chmod takes them: no type. */
export function permissionsOf(mode: number): number {
  let permissions = mode & goMode.permissions;
  if ((mode & goMode.setuid) !== 0) permissions |= unixMode.setuid;
  if ((mode & goMode.setgid) !== 0) permissions |= unixMode.setgid;
  if ((mode & goMode.sticky) !== 0) permissions |= unixMode.sticky;
  return permissions;
}
