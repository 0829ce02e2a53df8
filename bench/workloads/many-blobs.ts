import { readFileSync } from 'node:fs';
import { initRepository, openBackend, type Repository, toByteString, utcTimestamp } from '@holdfast/engine';
import { compress } from '../../packages/engine/src/crypto/compression.ts';
import { sha256, sha256OfParts } from '../../packages/engine/src/crypto/hash.ts';
import { seal } from '../../packages/engine/src/crypto/seal.ts';
import { asId } from '../../packages/engine/src/format/id-codec.ts';
import type { BlobId, PackId, TreeId } from '../../packages/engine/src/format/ids.ts';
import { encodeIndexFile, type IndexedPack } from '../../packages/engine/src/format/index-file.ts';
import type { Node } from '../../packages/engine/src/format/node.ts';
import { encodePackHeader, type PackedBlob } from '../../packages/engine/src/format/pack-header.ts';
import { encodeSnapshot } from '../../packages/engine/src/format/snapshot-file.ts';
import { encodeTree } from '../../packages/engine/src/format/tree-codec.ts';
import { RandomBytes } from './generated-bytes.ts';
import { letSignalsIn } from './let-signals-in.ts';
import type { WorkloadRecipe } from './workload.ts';

const blobsPerFile = 1_000;
const filesPerFolder = 100;
const packBytes = 16 * 1024 * 1024;
const packBlobs = 20_000;
const indexBlobs = 50_000;
const epochSeconds = 1_767_225_600;

/**
 * A repository with so many blobs of about 100 bytes, which have all that real ones have. Its first snapshot has all of
 * them; the second lacks every tenth file, so that a tenth of every pack is of no use once the first is forgotten.
 */
export function manyBlobs(count: number): WorkloadRecipe {
  return {
    name: `many-blobs-${count}`,
    async build(path, { scale, signal, passwordFile }) {
      const password = readFileSync(passwordFile, 'utf8').trim();
      const repository = await initRepository({ backend: openBackend(path), passwords: [password], signal });
      const writer = new PlainWriter(repository);
      const random = new RandomBytes('many blobs');
      const folders = Math.max(1, Math.round((count * scale) / (blobsPerFile * filesPerFolder)));
      const [all, most]: [Node[], Node[]] = [[], []];
      for (let folder = 0; folder < folders; folder += 1) {
        await letSignalsIn(signal);
        const files = await writeFiles(writer, random);
        const kept = files.filter((_, number) => number % 10 !== 0);
        const name = `folder-${String(folder).padStart(5, '0')}`;
        all.push(directory(name, await writer.saveTree(files)));
        most.push(directory(name, await writer.saveTree(kept)));
      }
      const roots = [];
      for (const nodes of [all, most]) {
        roots.push(await writer.saveTree([directory('blobs', await writer.saveTree(nodes))]));
      }
      await writer.finish();
      for (const [number, tree] of roots.entries()) await saveSnapshot(repository, tree, number);
      return { files: folders * filesPerFolder, bytes: writer.plainBytes, blobs: writer.blobs };
    },
  };
}

async function writeFiles(writer: PlainWriter, random: RandomBytes): Promise<Node[]> {
  const files: Node[] = [];
  for (let file = 0; file < filesPerFolder; file += 1) {
    const content: BlobId[] = [];
    let size = 0;
    for (let blob = 0; blob < blobsPerFile; blob += 1) {
      const bytes = random.next(90 + (blob % 20));
      size += bytes.length;
      content.push(await writer.saveData(bytes));
    }
    const name = `file-${String(file).padStart(5, '0')}`;
    files.push({
      ...emptyNode,
      name: toByteString(name),
      type: 'file',
      mode: 0o644,
      links: 1,
      size,
      content,
    });
  }
  return files;
}

async function saveSnapshot({ storage }: Repository, tree: TreeId, number: number): Promise<void> {
  const record = {
    time: utcTimestamp((epochSeconds + number) * 1_000),
    tree,
    paths: ['/blobs'],
    hostname: 'bench',
    username: 'bench',
    uid: 0,
    gid: 0,
    excludes: [],
    tags: [],
  };
  await storage.files.save('snapshot', encodeSnapshot(record));
}

/** Packs and indexes as the format has them, without the care that a backup takes: compressed are only trees. */
class PlainWriter {
  readonly #repository: Repository;
  readonly #open = { data: new OpenPack(), tree: new OpenPack() };
  #unindexed: IndexedPack[] = [];
  blobs = 0;
  plainBytes = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async saveData(bytes: Buffer): Promise<BlobId> {
    const id = asId<BlobId>(sha256(bytes));
    await this.#save('data', {
      id,
      sealed: seal(this.#repository.storage.key, bytes),
      uncompressedLength: undefined,
    });
    this.plainBytes += bytes.length;
    return id;
  }

  async saveTree(nodes: readonly Node[]): Promise<TreeId> {
    const tree = encodeTree({ nodes }, 'utc');
    const id = asId<BlobId>(sha256(tree));
    const sealed = seal(this.#repository.storage.key, compress(tree));
    await this.#save('tree', { id, sealed, uncompressedLength: tree.length });
    return asId<TreeId>(id);
  }

  async finish(): Promise<void> {
    await this.#closePack('data');
    await this.#closePack('tree');
    await this.#writeIndex();
  }

  async #save(type: 'data' | 'tree', blob: SealedOne): Promise<void> {
    const pack = this.#open[type];
    pack.add(type, blob);
    this.blobs += 1;
    if (pack.bytes >= packBytes || pack.blobs.length >= packBlobs) await this.#closePack(type);
  }

  async #closePack(type: 'data' | 'tree'): Promise<void> {
    const pack = this.#open[type];
    if (pack.blobs.length === 0) return;
    this.#open[type] = new OpenPack();
    const { key, backend } = this.#repository.storage;
    const header = seal(key, encodePackHeader(pack.blobs));
    const headerLength = Buffer.alloc(4);
    headerLength.writeUInt32LE(header.length);
    const parts = [Buffer.concat(pack.sealed), header, headerLength];
    const id = asId<PackId>(sha256OfParts(parts));
    await backend.save({ kind: 'data', id }, parts);
    this.#unindexed.push({ id, blobs: pack.blobs });
    const waiting = this.#unindexed.reduce((sum, { blobs }) => sum + blobs.length, 0);
    if (waiting >= indexBlobs) await this.#writeIndex();
  }

  async #writeIndex(): Promise<void> {
    const packs = this.#unindexed;
    this.#unindexed = [];
    await this.#repository.storage.files.save('index', encodeIndexFile({ supersedes: [], packs }));
  }
}

interface SealedOne {
  readonly id: BlobId;
  readonly sealed: Buffer;
  readonly uncompressedLength: number | undefined;
}

class OpenPack {
  readonly blobs: PackedBlob[] = [];
  readonly sealed: Buffer[] = [];
  bytes = 0;

  add(type: 'data' | 'tree', { id, sealed, uncompressedLength }: SealedOne): void {
    this.blobs.push({ type, id, offset: this.bytes, length: sealed.length, uncompressedLength });
    this.sealed.push(sealed);
    this.bytes += sealed.length;
  }
}

const time = { seconds: epochSeconds, nanoseconds: 0 };
const empty = toByteString('');

const emptyNode: Node = {
  name: empty,
  type: 'file',
  mode: 0,
  modifiedAt: time,
  accessedAt: time,
  changedAt: time,
  uid: 0,
  gid: 0,
  user: empty,
  group: empty,
  inode: 1n,
  deviceId: 1n,
  size: 0,
  links: 0,
  linkTarget: empty,
  extendedAttributes: [],
  genericAttributes: undefined,
  device: 0n,
  content: null,
  subtree: undefined,
  error: empty,
};

const goDirectoryMode = 0x8000_0000 + 0o755;

function directory(name: string, subtree: TreeId): Node {
  return { ...emptyNode, name: toByteString(name), type: 'dir', mode: goDirectoryMode, subtree };
}
