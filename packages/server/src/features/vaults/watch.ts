import { type Abortable, throwIfAborted, toHoldfastError } from '@holdfast/base';
import type { VaultId } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Logger } from '../../config/logger.ts';
import type { Notify } from '../notifications/tell-of-jobs.ts';
import { freeShare, isNearlyFull } from './room.ts';
import type { VaultRoom, VaultService } from './service.ts';
import type { VaultStore } from './store.ts';

/** Tells once when a vault goes missing, and when it gets nearly full. */
export interface VaultWatch {
  /** To be called from time to time. */
  look(options?: Abortable): Promise<void>;
}

export interface VaultWatchOptions {
  readonly catalog: Catalog;
  readonly vaults: Pick<VaultService, 'listRoom' | 'usage'>;
  readonly store: Pick<VaultStore, 'beginAlarm' | 'endAlarm'>;
  readonly notify: Notify;
  readonly now: () => number;
  readonly logger: Logger;
}

/** With more than that free, being nearly full is over. */
const enoughShare = 0.15;
/** What a bucket holds is counted so often, where its capacity is known. */
const countEveryMs = 24 * 3_600_000;

export function createVaultWatch(options: VaultWatchOptions): VaultWatch {
  const { catalog, vaults, store, notify, now, logger } = options;
  const triedAtMs = new Map<VaultId, number>();

  async function lookWhetherThere({ vault }: VaultRoom): Promise<void> {
    if (vault.status !== 'missing') {
      if (vault.status === 'ok') await store.endAlarm(vault.id, 'missing');
      return;
    }
    const sinceMs = now();
    const reason = vault.problem ?? 'It held repositories, and no longer does.';
    await catalog.write(async (tx) => {
      if (!(await store.beginAlarm(vault.id, 'missing', sinceMs, tx))) return;
      await notify({ event: 'vault.missing', vault: nameOf(vault), sinceMs, reason }, tx);
    });
  }

  async function lookAtRoom({ vault, left }: VaultRoom): Promise<void> {
    if (left === null) return;
    if (freeShare(left) > enoughShare) await store.endAlarm(vault.id, 'nearly-full');
    if (!isNearlyFull(left)) return;
    const sinceMs = now();
    await catalog.write(async (tx) => {
      if (!(await store.beginAlarm(vault.id, 'nearly-full', sinceMs, tx))) return;
      const { freeBytes, totalBytes } = left;
      await notify({ event: 'vault.nearly-full', vault: nameOf(vault), sinceMs, freeBytes, totalBytes }, tx);
    });
  }

  /** What it holds is not known without it; status tells what keeps it from being counted. */
  async function count({ vault, measured }: VaultRoom, { signal }: Abortable): Promise<void> {
    const lastMs = Math.max(measured?.atMs ?? 0, triedAtMs.get(vault.id) ?? 0);
    if (vault.capacityBytes === null || now() - lastMs < countEveryMs) return;
    triedAtMs.set(vault.id, now());
    try {
      await vaults.usage(vault.id, { signal });
    } catch (error) {
      throwIfAborted(signal);
      const report = toHoldfastError(error).toReport();
      logger.warn('What a vault holds could not be counted.', { vault: vault.name, error: report });
    }
  }

  return {
    look: async ({ signal } = {}) => {
      for (const room of await vaults.listRoom()) await count(room, { signal });
      for (const room of await vaults.listRoom()) {
        await lookWhetherThere(room);
        await lookAtRoom(room);
      }
    },
  };
}

function nameOf({ id, name }: VaultRoom['vault']) {
  return { id, name };
}
