import path from 'node:path';
import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly once: boolean;
  readonly json: boolean;
  readonly breaks: boolean;
  /** The server runs in a container. */
  readonly container: boolean;
  /** The root of this checkout. */
  readonly root: string;
  readonly dataDirectory: string;
  /** What the demo was started with; programs that it starts get this and what it adds. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws TypeError for an option that there is not */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean' },
      json: { type: 'boolean' },
      break: { type: 'boolean' },
      container: { type: 'boolean' },
    },
  });
  const root = path.resolve(import.meta.dirname, '../..');
  return {
    once: values.once ?? false,
    json: values.json ?? false,
    breaks: values.break ?? false,
    container: values.container ?? false,
    root,
    dataDirectory: path.resolve(env.HOLDFAST_DATA ?? path.join(root, '.holdfast')),
    env,
  };
}
