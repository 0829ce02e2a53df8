import { appendFileSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';

mkdirSync('/data/files', { recursive: true });
let last = 0;

process.on('SIGTERM', () => process.exit());

/** Each POST is a file, then a row; both are there when it is answered. */
createServer(async (request, response) => {
  for await (const _ of request);
  if (request.method === 'POST') {
    last += 1;
    const id = last;
    await writeFile(`/data/files/${id}`, `file ${id}`);
    appendFileSync('/data/rows', `${id}\n`);
    response.end(`${id}`);
  } else {
    response.end('ready');
  }
}).listen(8080);
