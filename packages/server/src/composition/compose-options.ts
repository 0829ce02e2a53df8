import type { Clock } from '@holdfast/base';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config } from '../config/load-config.ts';
import type { Logger } from '../config/logger.ts';
import type { DataProcess } from '../runner/data-process.ts';
import type { Sealer } from '../secrets/sealer.ts';

export interface ComposeOptions {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** How often schedules are looked at; undefined for as often as is good for minutes. */
  readonly schedulesEveryMs?: number | undefined;
  readonly logger: Logger;
  readonly version: string;
  /** Names the data directory among those whose servers share the catalog. */
  readonly serverId: string;
  /** Names this process among those that ever used the data directory. */
  readonly instance: string;
  readonly dataProcess: DataProcess;
  /** Absolute path of the mover's program. */
  readonly moverMain: string;
}
