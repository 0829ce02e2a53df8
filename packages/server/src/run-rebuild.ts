import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, HoldfastError, systemClock, systemErrorCode } from '@holdfast/base';
import { createIds } from './catalog/ids.ts';
import { openCatalog } from './catalog/open-catalog.ts';
import { tasksFolder } from './composition/tasks-folder.ts';
import { openDataDirectory } from './config/data-directory.ts';
import type { Config } from './config/load-config.ts';
import { createServerLog, toLogger } from './config/server-log.ts';
import { localNodeName } from './features/nodes/service.ts';
import { createNodeStore } from './features/nodes/store.ts';
import { createReadRepositories } from './features/rebuild/read-repository.ts';
import {
  type RebuildResult,
  rebuildCatalog,
  type TakenRepository,
} from './features/rebuild/rebuild-catalog.ts';
import { createRebuildStore, type MarkedVault, type RebuildStore } from './features/rebuild/store.ts';
import { createProbeVault } from './features/vaults/probe-vault.ts';
import { defaultVaultName } from './features/vaults/service.ts';
import { readMarker, requireWritable } from './features/vaults/vault-directory.ts';
import { spawnMover } from './runner/mover-process-program.ts';
import { makePrivateFile } from './secrets/private-file.ts';
import { createRecoveryKeys } from './secrets/recovery-key.ts';
import { type GivenKeys, parseRecoveryKit } from './secrets/recovery-kit.ts';
import { openSealKey, sealKeyPath } from './secrets/seal-key.ts';

export interface RunRebuildOptions {
  readonly config: Config;
  /** The recovery kit, or a file with the key alone; undefined: that of the data directory. */
  readonly recoveryKeyFile: string | undefined;
  readonly onTaken: (taken: TakenRepository) => void;
  readonly onWarning: (warning: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes the catalog of a data directory again from the vault. No server runs with it meanwhile, and none of Docker is
 * needed. A kit's keys become those of the data directory, where they are not in the way of others: so the kit stays valid.
 *
 * @throws HoldfastError `server-already-running`, `vault-missing`, `repository-missing` for a vault that holds none,
 *   `secret-unreadable` without a key, `usage-invalid` for a key that cannot become the vault's, `password-wrong`, and as
 *   `rebuildCatalog`
 */
export async function runRebuild(options: RunRebuildOptions): Promise<RebuildResult> {
  const { config, signal } = options;
  const { dataDirectory, vaultDirectory: location } = config;
  const { id, name } = await requireMarker(location);
  if (name !== defaultVaultName) throw otherName(location, name);
  const vault = { id, name, location };
  await requireWritable(location);
  const given = await readGivenKeys(options.recoveryKeyFile, name);

  using _directory = await openDataDirectory(dataDirectory);
  const ids = createIds();
  const tasks = join(tasksFolder(config), 'rebuild');
  // Of one that was cut off.
  await rm(tasks, { recursive: true, force: true });
  const main = fileURLToPath(new URL('../../mover/src/main.ts', import.meta.url));
  const movers = { ids, spawnMover: () => spawnMover({ node: process.execPath, main }), folder: tasks };
  const folders = await createProbeVault(movers)({ location }, { kind: 'list' }, { signal });
  if (folders.whole.length + folders.broken.length === 0) throw noRepository(location);
  const recoveryKeys = createRecoveryKeys(dataDirectory);
  const present = await recoveryKeys.readIfThere(name);
  const recoveryKey = given?.recoveryKey ?? present;
  if (recoveryKey === undefined) throw noKey(recoveryKeys.pathOf(name));
  if (given?.sealKey !== undefined) await makePrivateFile(sealKeyPath(dataDirectory), `${given.sealKey}\n`);
  const sealer = await openSealKey(dataDirectory);
  const clock: Clock = systemClock;
  const logger = toLogger(createServerLog(config.logLevel));
  await using catalog = await openCatalog({ dataDirectory, url: config.catalogUrl, clock, logger });
  const store = createRebuildStore({ catalog, clock, ids });
  if (!(await store.takeVault(vault))) throw otherVault(location);
  await requireReplaceable(store, vault, { recoveryKey, present });
  const nodes = createNodeStore({ catalog, clock, ids });
  const { id: nodeId } = await nodes.ensure(localNodeName, config.dockerHost);
  return await rebuildCatalog({
    catalog,
    store,
    readRepositories: createReadRepositories(movers),
    sealer,
    ids,
    vault,
    accessTo: (folder) => ({ location: join(location, folder) }),
    folders,
    nodeId,
    recoveryKey,
    onKeyProven: async () => await recoveryKeys.replace(name, recoveryKey),
    onTaken: options.onTaken,
    onWarning: options.onWarning,
    signal,
  });
}

async function requireMarker(location: string): Promise<Pick<MarkedVault, 'id' | 'name'>> {
  const marker = await readMarker(location);
  if (marker !== undefined) return marker;
  throw new HoldfastError('vault-missing', `${location} is no vault: it has no holdfast-vault.json.`, {
    hint: 'Mount its file system, and let --vault or HOLDFAST_VAULT name the directory: the recovery kit says where it was.',
    context: { location },
  });
}

async function readGivenKeys(path: string | undefined, vaultName: string): Promise<GivenKeys | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = systemErrorCode(error) ?? 'unknown reason';
    throw new HoldfastError('secret-unreadable', `${path} cannot be read (${reason}).`, {
      hint: 'Let --recovery-key-file name the recovery kit, or a file with the recovery key.',
      cause: error,
    });
  }
  const keys = parseRecoveryKit(text, vaultName);
  if (keys !== undefined) return keys;
  throw new HoldfastError('usage-invalid', `${path} holds no recovery key of the vault ${vaultName}.`, {
    hint: 'Give the file that holdfast vault:kit wrote, or one with nothing but the recovery key.',
    context: { path, vault: vaultName },
  });
}

/** A key that opens repositories which the catalog counts on does not give way to one that may not. */
async function requireReplaceable(
  store: RebuildStore,
  vault: MarkedVault,
  { recoveryKey, present }: { readonly recoveryKey: string; readonly present: string | undefined },
): Promise<void> {
  if (present === undefined || present === recoveryKey || !(await store.hasInitialized(vault.id))) return;
  throw new HoldfastError(
    'usage-invalid',
    'The data directory has another recovery key, which opens repositories that its catalog has.',
    {
      hint: 'Leave --recovery-key-file out to rebuild by that key, or rebuild into a new data directory.',
      context: { vault: vault.name },
    },
  );
}

function noKey(path: string): HoldfastError {
  return new HoldfastError('secret-unreadable', 'The data directory has no recovery key of the vault.', {
    hint: `Give the recovery kit with --recovery-key-file, or put a copy of the key back as ${path}.`,
    context: { path },
  });
}

function noRepository(location: string): HoldfastError {
  return new HoldfastError('repository-missing', `The vault ${location} holds no repository.`, {
    hint: 'Is it the right one? The recovery kit says where the vault was.',
    context: { location },
  });
}

function otherName(location: string, name: string): HoldfastError {
  return new HoldfastError('vault-missing', `${location} is the vault ${name}, not ${defaultVaultName}.`, {
    hint: 'Let --vault name the directory of the default vault.',
    context: { location, name },
  });
}

function otherVault(location: string): HoldfastError {
  return new HoldfastError('vault-missing', `${location} is another vault than the catalog has backups in.`, {
    hint: 'Let --vault name the directory of that one, or rebuild into a new data directory.',
    context: { location },
  });
}
