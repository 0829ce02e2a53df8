import type { HandlersOf } from '../../http/handler.ts';
import type { VaultService } from './service.ts';

export function vaultHandlers(service: VaultService): HandlersOf<'vault.list'> {
  return {
    'vault.list': async () => ({ vaults: [...(await service.list())] }),
  };
}
