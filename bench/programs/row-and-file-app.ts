/**
 * Runs in a container: `row-and-file-app FOLDER PORT` is a web app that writes a file and a row for each POST and answers
 * with its number; both are there when it answers. GET answers at once.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [folder = '', port = ''] = process.argv.slice(2);
const rows = join(folder, 'rows');
const files = join(folder, 'files');
mkdirSync(files, { recursive: true });
let last = existsSync(rows) ? Math.max(0, ...readFileSync(rows, 'utf8').trim().split('\n').map(Number)) : 0;

process.on('SIGTERM', () => process.exit());

createServer(async (request, response) => {
  for await (const _ of request);
  if (request.method !== 'POST') {
    response.end('ready');
    return;
  }
  last += 1;
  const id = last;
  await writeFile(join(files, String(id)), `file ${id}`);
  appendFileSync(rows, `${id}\n`);
  response.end(String(id));
}).listen(Number(port), '127.0.0.1');
