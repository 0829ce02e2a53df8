import type { HandlersOf } from './handler.ts';

/** @param ping fails when the catalog cannot be reached */
export function serverHandlers(version: string, ping: () => Promise<void>): HandlersOf<'server.health'> {
  return {
    'server.health': async () => {
      await ping();
      return { status: 'ok', version };
    },
  };
}
