/** Started by `changeFoldersInContainer`: does what is asked on its input, and answers as one line of JSON. */
import { text } from 'node:stream/consumers';
import { changeFolder, type FolderChange } from './folder-change.ts';

const [root = '/', base = '/'] = process.argv.slice(2);
// Our own server wrote it: of the same version, in the same words.
const change = JSON.parse(await text(process.stdin)) as FolderChange;
process.stdout.write(`${JSON.stringify(await changeFolder({ root, base }, change))}\n`);
