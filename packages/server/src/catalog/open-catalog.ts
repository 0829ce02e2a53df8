import { join } from 'node:path';
import type { Clock } from '@holdfast/base';
import type { Logger } from '../config/logger.ts';
import type { Catalog } from './catalog.ts';
import { openPostgresqlCatalog } from './postgresql-catalog.ts';
import { openSqliteCatalog } from './sqlite-catalog.ts';

export interface OpenCatalogOptions {
  /** Holds `catalog.sqlite` when there is no URL. */
  readonly dataDirectory: string;
  /** `postgres://…`, or null for SQLite. */
  readonly url: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @throws HoldfastError `catalog-unreachable`, `catalog-newer` */
export async function openCatalog({
  dataDirectory,
  url,
  clock,
  logger,
}: OpenCatalogOptions): Promise<Catalog> {
  return url === null
    ? await openSqliteCatalog(join(dataDirectory, 'catalog.sqlite'), clock)
    : await openPostgresqlCatalog({ url, clock, logger });
}
