import { join } from 'node:path';
import type { Config } from '../config/load-config.ts';

/** Where movers write their events: how a server that comes back learns what they did. */
export function tasksFolder({ dataDirectory }: Config): string {
  return join(dataDirectory, 'tasks');
}
