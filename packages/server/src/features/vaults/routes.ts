import type { Logger } from '../../config/logger.ts';
import type { HandlersOf } from '../../http/handler.ts';
import type { VaultService } from './service.ts';

export function vaultHandlers(
  service: VaultService,
  logger: Pick<Logger, 'info'>,
): HandlersOf<'vault.list' | 'vault.open'> {
  return {
    'vault.list': async () => ({ vaults: [...(await service.list())] }),
    // The keys themselves are read by who may read the data directory: none ever comes over the network.
    'vault.open': async ({ caller, body: { command } }) => {
      logger.info('Recovery keys are shown.', { to: caller.name, command });
      return { noted: true };
    },
  };
}
