import { isHoldfastError } from '@holdfast/base';
import type { MetricFacts } from './metrics-text.ts';

export interface MetricsOptions {
  /** @throws HoldfastError `catalog-unreachable` */
  readonly read: () => Promise<MetricFacts>;
  readonly version: string;
}

/** All metrics: those of the process, then what the catalog and the vaults tell. Who asks meanwhile gets the same answer. */
export function createMetrics({ read, version }: MetricsOptions): () => Promise<string> {
  let underWay: Promise<string> | undefined;
  let ofProcess: Promise<() => Promise<string>> | undefined;

  async function collect(): Promise<string> {
    ofProcess ??= watchProcess();
    const [{ metricsText }, processText, facts] = await Promise.all([
      import('./metrics-text.ts'),
      ofProcess.then(async (text) => await text()),
      readIfReachable(read),
    ]);
    return processText + (await metricsText(facts, version));
  }

  return async () => {
    underWay ??= collect().finally(() => {
      underWay = undefined;
    });
    return await underWay;
  };
}

/** From the first time that somebody asks: many never do. */
async function watchProcess(): Promise<() => Promise<string>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const register = new Registry();
  collectDefaultMetrics({ register });
  return async () => await register.metrics();
}

async function readIfReachable(read: MetricsOptions['read']): Promise<MetricFacts | null> {
  try {
    return await read();
  } catch (error) {
    if (isHoldfastError(error, 'catalog-unreachable')) return null;
    throw error;
  }
}
