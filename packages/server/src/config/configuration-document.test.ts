import { expect, test } from 'vitest';
import { configurationDocument } from './configuration-document.ts';

// After a change of the keys: npx vitest run packages/server/src/config/configuration-document.test.ts -u
test('docs/configuration.md is up to date', async () => {
  await expect(configurationDocument()).toMatchFileSnapshot('../../../../docs/configuration.md');
});
