import type { Container } from '../engine-port/engine-objects.ts';
import { composeLabels } from './labels.ts';

/** Compose v2 lists what a service depends on: `db:service_healthy:false,cache:service_started:true`. */
const dependsOnLabel = 'com.docker.compose.depends_on';

/** In an order in which they may be stopped: each before what it depends on, by what Compose says of its services. */
export function dependentsFirst<Item extends Pick<Container, 'name' | 'labels'>>(
  containers: readonly Item[],
): readonly Item[] {
  const byService = Map.groupBy(containers, ({ labels, name }) => labels[composeLabels.service] ?? name);
  const ordered: Item[] = [];
  const seen = new Set<string>();
  const visit = (service: string): void => {
    if (seen.has(service)) return;
    seen.add(service);
    const group = byService.get(service) ?? [];
    for (const container of group) for (const other of dependencies(container)) visit(other);
    ordered.push(...group);
  };
  for (const service of [...byService.keys()].sort()) visit(service);
  return ordered.reverse();
}

function dependencies({ labels }: Pick<Container, 'labels'>): readonly string[] {
  return (labels[dependsOnLabel] ?? '').split(',').flatMap((item) => {
    const service = item.split(':')[0]?.trim();
    return service === undefined || service === '' ? [] : [service];
  });
}
