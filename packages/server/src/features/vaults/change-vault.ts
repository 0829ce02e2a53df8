import type { Abortable } from '@holdfast/base';
import type { RouteBody, Routes, StorageAccess, VaultId, VaultMarker } from '@holdfast/protocol';
import type { Ids } from '../../catalog/ids.ts';
import type { RecoveryKeys } from '../../secrets/recovery-key.ts';
import { parseRecoveryKit } from '../../secrets/recovery-kit.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import type { ProbeVault, VaultPlace } from './probe-vault.ts';
import type { VaultRecord, VaultSettings, VaultStore } from './store.ts';
import {
  clockWrong,
  needsKey,
  otherVault,
  refused,
  vaultExists,
  vaultMissing,
  vaultUnknown,
} from './vault-errors.ts';
import { canonicalLocation, isBucket, overlap } from './vault-location.ts';

export type AddVault = RouteBody<Routes['vault.add']>;
export type UpdateVault = RouteBody<Routes['vault.update']>;

export interface ChangingVaults {
  readonly store: VaultStore;
  readonly recoveryKeys: RecoveryKeys;
  readonly sealer: Sealer;
  readonly ids: Ids;
  readonly probe: ProbeVault;
  readonly directory: string;
  readonly dataDirectory: string;
  readonly requireLasting: (path: string) => Promise<void>;
  readonly storageOf: (vault: VaultRecord) => StorageAccess | undefined;
  /** Throws where the vault does not hold what the catalog says it does. */
  readonly requireSame: (vault: VaultRecord, options: Abortable) => Promise<void>;
}

/** Storage and server tell each other's times: by more than this, locks and expiry dates are wrong. */
const clockLimitMs = 5 * 60_000;

/**
 * Tries a place out, makes it a vault and takes it into the catalog. A vault that another catalog has made keeps its id.
 *
 * @throws HoldfastError `vault-exists`, `storage-*`, `storage-clock-wrong`, `usage-invalid` for a place that cannot be one,
 *   `secret-unreadable` for a vault with repositories whose recovery key is not known
 */
export async function addVault(
  request: AddVault,
  changing: ChangingVaults,
  { signal }: Abortable,
): Promise<VaultRecord> {
  const { store, recoveryKeys, sealer, ids, probe } = changing;
  const { name, s3 } = request;
  const location = canonicalLocation(request.location);
  if ((await store.getByName(name)) !== undefined) throw vaultExists(name, location);
  await requirePlace(location, changing);
  const place = placeOf(location, s3);
  const { clockAheadMs } = await probe(place, { kind: 'test' }, { signal });
  if (Math.abs(clockAheadMs) > clockLimitMs) throw clockWrong(location, clockAheadMs);
  const listed = await probe(place, { kind: 'list' }, { signal });
  const isHeld = listed.marker !== null && listed.whole.length + listed.broken.length > 0;
  await takeKey(recoveryKeys, { name, location, kit: request.recoveryKit, isHeld, marker: listed.marker });
  const id = listed.marker?.id ?? ids.vault();
  const marker: VaultMarker = { version: 1, id, name };
  const opened = await probe(place, { kind: 'open', marker, mayMake: true, folders: [] }, { signal });
  const madeId = opened.marker?.id ?? id;
  const vault = {
    id: madeId,
    name,
    location,
    isDefault: request.isDefault ?? false,
    settings: settingsOf({}, request),
    sealedCredentials: sealed(sealer, madeId, s3),
  };
  if (!(await store.add(vault))) throw vaultExists(name, location);
  if (isBucket(location)) await store.markChecked(vault.id, null);
  const added = await store.get(vault.id);
  if (added !== undefined) return added;
  throw vaultUnknown(name);
}

/**
 * Changes how a vault is reached; only where that leads to the same vault, with all that it held.
 *
 * @throws HoldfastError `vault-missing`, `storage-*`, `usage-invalid`, `vault-exists`
 */
export async function updateVault(
  vault: VaultRecord,
  change: UpdateVault,
  changing: ChangingVaults,
  abort: Abortable,
): Promise<VaultRecord> {
  const { store, sealer, directory } = changing;
  const { s3, isDefault } = change;
  const location = change.location === undefined ? vault.location : canonicalLocation(change.location);
  if (location !== vault.location) {
    if (vault.location === directory)
      throw refused(
        'Where the first vault is, is set for the server.',
        'Let --vault or HOLDFAST_VAULT name its new directory, and start the server again.',
      );
    if (isBucket(location) !== isBucket(vault.location) && s3 === undefined && isBucket(location))
      throw refused('A bucket needs credentials.', 'Give --key-id and --key-secret-file.');
    await requirePlace(location, changing, vault.id);
  }
  if (s3 !== undefined && !isBucket(location))
    throw refused('A directory has no credentials.', 'Give them for a bucket.');
  const changed: VaultRecord = {
    ...vault,
    location,
    settings: settingsOf(vault.settings, change),
    sealedCredentials: sealed(sealer, vault.id, s3) ?? (isBucket(location) ? vault.sealedCredentials : null),
  };
  if (location !== vault.location || s3 !== undefined) {
    await requireMarker(changed, changing, abort);
    await changing.requireSame(changed, abort);
    await store.markChecked(vault.id, null);
  }
  const { settings, sealedCredentials } = changed;
  await store.change(vault.id, { location, settings, sealedCredentials });
  if (isDefault === true) await store.makeDefault(vault.id);
  return changed;
}

/** Where it leads to has to be this vault, also if it never held anything. */
async function requireMarker(
  vault: VaultRecord,
  { probe, storageOf }: ChangingVaults,
  abort: Abortable,
): Promise<void> {
  const place: VaultPlace = { location: vault.location, storage: storageOf(vault) };
  const { marker } = await probe(place, { kind: 'list' }, abort);
  if (marker === null) throw vaultMissing(vault);
  if (marker.id !== vault.id) throw otherVault(vault, marker.id);
}

/** A place of its own: in nobody else's, and one that lasts. */
async function requirePlace(
  location: string,
  { store, dataDirectory, requireLasting }: ChangingVaults,
  except?: VaultId,
): Promise<void> {
  for (const other of await store.list()) {
    if (other.id === except || !overlap(location, other.location)) continue;
    throw vaultExists(other.name, other.location);
  }
  if (isBucket(location)) return;
  if (overlap(location, dataDirectory)) {
    throw refused(
      `${location} is, or is in, the data directory of the server, or around it.`,
      'Choose another directory, best on another disk.',
    );
  }
  await requireLasting(location);
}

interface KeyToTake {
  readonly name: string;
  readonly location: string;
  readonly kit: string | undefined;
  /** Whether repositories are there that the key has to open. */
  readonly isHeld: boolean;
  readonly marker: VaultMarker | null;
}

async function takeKey(
  keys: RecoveryKeys,
  { name, location, kit, isHeld, marker }: KeyToTake,
): Promise<void> {
  if (kit !== undefined) {
    const given = parseRecoveryKit(kit, marker?.name ?? name) ?? parseRecoveryKit(kit, name);
    if (given === undefined) {
      throw refused(
        'The file holds no recovery key of this vault.',
        'Give the file that holdfast vault:kit wrote, or one with nothing but the recovery key.',
      );
    }
    await keys.replace(name, given.recoveryKey);
  } else if (isHeld && (await keys.readIfThere(name)) === undefined) {
    throw needsKey(location, name);
  } else {
    await keys.ensure(name);
  }
}

function placeOf(location: string, s3: AddVault['s3']): VaultPlace {
  if (!isBucket(location)) {
    if (s3 === undefined) return { location };
    throw refused('A directory has no credentials.', 'Give them for a bucket.');
  }
  if (s3 === undefined) throw refused('A bucket needs credentials.', 'Give --key-id and --key-secret-file.');
  const { keyId, keySecret, region, bucketLookup } = s3;
  const credentials = { accessKeyId: keyId, secretAccessKey: keySecret };
  return { location, storage: { s3: { credentials, region, bucketLookup } } };
}

function sealed(sealer: Sealer, id: VaultId, s3: AddVault['s3']): string | null {
  if (s3 === undefined) return null;
  return sealer.seal(JSON.stringify({ accessKeyId: s3.keyId, secretAccessKey: s3.keySecret }), id);
}

function settingsOf(
  present: VaultSettings,
  {
    s3,
    uploadBytesPerSecond,
    capacityBytes,
  }: Pick<AddVault, 's3' | 'uploadBytesPerSecond' | 'capacityBytes'>,
): VaultSettings {
  const { keyId, region, bucketLookup } = s3 ?? present;
  const upload = uploadBytesPerSecond === undefined ? present.uploadBytesPerSecond : uploadBytesPerSecond;
  const capacity = capacityBytes === undefined ? present.capacityBytes : capacityBytes;
  return {
    keyId,
    region,
    bucketLookup,
    uploadBytesPerSecond: upload ?? undefined,
    capacityBytes: capacity ?? undefined,
  };
}
