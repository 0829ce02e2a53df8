import type { JsonObject, JsonValue } from '../engine-port/json-object.ts';
import type { ContainerModel } from './environment-model.ts';
import { objectAt, objectsAt, textAt } from './json-access.ts';

/** The ports of the engine's machine that a model asks for by number. */
export function publishedPortsOf({
  containers,
}: {
  readonly containers: readonly Pick<ContainerModel, 'hostConfig'>[];
}): readonly number[] {
  return containers.flatMap(({ hostConfig }) => {
    const bindings = objectAt(hostConfig, 'PortBindings');
    return Object.keys(bindings).flatMap((port) =>
      objectsAt(bindings, port)
        .map((binding) => Number(textAt(binding, 'HostPort')))
        .filter((number) => Number.isInteger(number) && number > 0),
    );
  });
}

export interface PortMove {
  /** `80/tcp`, in the container. */
  readonly port: string;
  readonly from: number;
  readonly to: number;
}

/**
 * `PortBindings` with every number that is taken moved to the next that is free, above it if there is one. Ports that the
 * engine may choose stay so. What is used is added to `taken`; several addresses of one port move together.
 */
export function moveBindings(
  bindings: JsonObject,
  taken: Set<number>,
): { readonly bindings: JsonObject; readonly moves: readonly PortMove[] } {
  const moves: PortMove[] = [];
  const moved = Object.keys(bindings).map((port): [string, JsonValue] => {
    const chosen = new Map<number, number>();
    const list = objectsAt(bindings, port).map((binding) => {
      const from = Number(textAt(binding, 'HostPort'));
      if (!Number.isInteger(from) || from <= 0) return binding;
      const to = chosen.get(from) ?? nextFree(from, taken);
      if (!chosen.has(from) && to !== from) moves.push({ port, from, to });
      chosen.set(from, to);
      taken.add(to);
      return { ...binding, HostPort: String(to) };
    });
    return [port, list];
  });
  return { bindings: Object.fromEntries(moved), moves };
}

function nextFree(port: number, taken: ReadonlySet<number>): number {
  for (let next = port; next <= 65_535; next += 1) if (!taken.has(next)) return next;
  for (let next = Math.min(port, 65_535); next >= 1024; next -= 1) if (!taken.has(next)) return next;
  return port;
}
