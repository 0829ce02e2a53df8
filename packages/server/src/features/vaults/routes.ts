import type { Logger } from '../../config/logger.ts';
import type { HandlersOf } from '../../http/handler.ts';
import type { VaultService } from './service.ts';

type VaultRoute =
  | 'vault.list'
  | 'vault.add'
  | 'vault.update'
  | 'vault.remove'
  | 'vault.test'
  | 'vault.usage'
  | 'vault.open';

export function vaultHandlers(service: VaultService, logger: Pick<Logger, 'info'>): HandlersOf<VaultRoute> {
  return {
    'vault.list': async () => ({ vaults: [...(await service.list())] }),
    'vault.add': async ({ body, signal }) => await service.add(body, { signal }),
    'vault.update': async ({ params, body, signal }) => await service.update(params.vault, body, { signal }),
    'vault.remove': async ({ params, query }) => {
      return { backups: await service.remove(params.vault, { forget: query.forget === 'true' }) };
    },
    'vault.test': async ({ params, signal }) => ({ ...(await service.test(params.vault, { signal })) }),
    'vault.usage': async ({ params, signal }) => await service.usage(params.vault, { signal }),
    // The keys themselves are read by who may read the data directory: none ever comes over the network.
    'vault.open': async ({ caller, body: { command } }) => {
      logger.info('Recovery keys are shown.', { to: caller.name, command });
      return { noted: true };
    },
  };
}
