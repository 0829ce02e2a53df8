import { expect, test } from 'vitest';
import { type LogFields, silentLogger } from '../../config/logger.ts';
import { vaultHandlers } from './routes.ts';
import type { VaultService } from './service.ts';

test('whoever is shown recovery keys stands in the log, and no key does', async () => {
  const lines: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const logger = {
    ...silentLogger,
    info: (message: string, fields?: LogFields) => void lines.push({ message, fields }),
  };
  // It asks nothing of the vaults.
  const handlers = vaultHandlers({} as VaultService, logger);
  const answer = await handlers['vault.open']({
    params: undefined,
    query: undefined,
    body: { command: 'vault:kit' },
    file: (async function* () {})(),
    caller: { name: 'local-here', rights: ['vault:open'] },
    signal: new AbortController().signal,
  });
  expect(answer).toEqual({ noted: true });
  expect(lines).toEqual([
    { message: 'Recovery keys are shown.', fields: { to: 'local-here', command: 'vault:kit' } },
  ]);
});
