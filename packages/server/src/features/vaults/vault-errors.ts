import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import type { VaultRecord } from './store.ts';

export function vaultUnknown(idOrName: string): HoldfastError {
  return new HoldfastError('vault-unknown', `There is no vault ${idOrName}.`, {
    hint: 'holdfast vault:list shows all of them.',
    context: { vault: idOrName },
  });
}

export function vaultExists(name: string, location: string): HoldfastError {
  return new HoldfastError('vault-exists', `There is a vault ${name} already, or one at ${location}.`, {
    hint: 'holdfast vault:list shows them; vault:update changes how one is reached.',
    context: { name, location },
  });
}

export function vaultMissing(vault: VaultRecord): HoldfastError {
  return new HoldfastError(
    'vault-missing',
    `The vault ${vault.name} held backups, and ${vault.location} does not.`,
    {
      hint: 'Mount its file system, or put the vault back there. Nothing is made anew in its place.',
      context: { vaultId: vault.id, location: vault.location },
    },
  );
}

export function otherVault(vault: VaultRecord, foundId: string): HoldfastError {
  return new HoldfastError('vault-missing', `${vault.location} holds another vault than ${vault.name}.`, {
    hint: "Let it lead to the place that was this server's vault before: --vault names the first one's, vault:update any other's.",
    context: { vaultId: vault.id, foundId, location: vault.location },
  });
}

export function repositoryGone(vault: VaultRecord, folder: string): HoldfastError {
  return new HoldfastError(
    'vault-missing',
    `The vault ${vault.name} held the repository ${folder}, and no longer does.`,
    {
      hint: `Put back ${join(vault.location, folder)}. It is not made anew, so that no backup is taken for one that is there.`,
      context: { vaultId: vault.id, folder },
    },
  );
}

export function noRepository(vault: VaultRecord, folder: string): HoldfastError {
  return new HoldfastError(
    'repository-missing',
    `There is no repository in the folder ${folder} of the vault ${vault.name}.`,
    {
      hint: `Name it by its path within ${vault.location}; the folder is the one with the file "config".`,
      context: { vaultId: vault.id, folder },
    },
  );
}

export function clockWrong(location: string, aheadMs: number): HoldfastError {
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  const side = aheadMs > 0 ? 'ahead of' : 'behind';
  return new HoldfastError(
    'storage-clock-wrong',
    `The clock of ${location} is ${minutes} minutes ${side} the clock of this machine.`,
    {
      hint: 'Set the clocks right: backups expire by them, and locks are told to be old by them.',
      context: { location, aheadMs },
    },
  );
}

export function inUse(vault: VaultRecord, reason: string, hint: string): HoldfastError {
  return new HoldfastError('vault-in-use', `The vault ${vault.name} ${reason}.`, {
    hint,
    context: { vaultId: vault.id, vault: vault.name },
  });
}

export function needsKey(location: string, name: string): HoldfastError {
  return new HoldfastError(
    'secret-unreadable',
    `${location} is a vault already, with repositories that another recovery key opens.`,
    {
      hint: `Give the recovery kit of the server that made it, or the key alone: vault:add ${name} … --recovery-key-file FILE.`,
      context: { location },
    },
  );
}

export function refused(message: string, hint: string): HoldfastError {
  return new HoldfastError('usage-invalid', message, { hint });
}
