/** Copies npm packages and all that they depend on: `copy-packages.ts FROM_NODE_MODULES TO_NODE_MODULES NAME...` */
import { existsSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';

const [from = '', to = '', ...names] = process.argv.slice(2);

const copied = new Set<string>();
async function copyPackage(name: string): Promise<void> {
  const source = path.join(from, name);
  if (copied.has(name) || !existsSync(source)) return; // not there: an optional one
  copied.add(name);
  await cp(source, path.join(to, name), { recursive: true });
  const description: { dependencies?: Record<string, string> } = JSON.parse(
    await readFile(path.join(source, 'package.json'), 'utf8'),
  );
  for (const dependency of Object.keys(description.dependencies ?? {})) await copyPackage(dependency);
}

for (const name of names) await copyPackage(name);
