/** Started by `resolveInContainer`: follows paths beneath a root that is given, and answers as one line of JSON. */
import { text } from 'node:stream/consumers';
import { resolveBeneath } from './resolve-beneath.ts';

const [root = '/'] = process.argv.slice(2);
const paths: unknown = JSON.parse(await text(process.stdin));
if (!Array.isArray(paths)) throw new TypeError('A list of paths was expected.');
const resolved = [];
for (const path of paths) resolved.push(await resolveBeneath(root, String(path)));
process.stdout.write(`${JSON.stringify(resolved)}\n`);
