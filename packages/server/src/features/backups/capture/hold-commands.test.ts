import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { HoldCommands } from './hold-commands.ts';

async function listening(status = 200) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['holdfast-hold-seconds']}`);
    response.writeHead(status).end('anything');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { asked, port, [Symbol.asyncDispose]: async () => void server.close() };
}

function commands(hold: string, release: string, said: string[] = []) {
  const container = { containerId: 'c', name: 'proxy', addresses: ['127.0.0.1'], hold, release };
  const exec = async () => await Promise.reject(new Error('Nothing is run here.'));
  const docker = { containers: { exec } } as unknown as ConstructorParameters<
    typeof HoldCommands
  >[1]['docker'];
  return new HoldCommands([container], {
    docker,
    limitMs: 9500,
    log: (_level, message) => void said.push(message),
  });
}

test('a URL is asked of the container itself, with the seconds after which it has to release', async () => {
  await using server = await listening();
  const holding = commands(
    `http://localhost:${server.port}/hold?a=1`,
    `http://localhost:${server.port}/release`,
  );
  await holding.release();
  expect(server.asked).toEqual([]);
  await holding.hold();
  await holding.release();
  await holding.release();
  expect(server.asked).toEqual(['POST /hold?a=1 10', 'POST /release 10']);
});

test('nobody else is asked', async () => {
  for (const url of ['http://169.254.169.254/latest', 'http://example.com:80/', 'https://10.0.0.1/']) {
    await expect(commands(url, url).hold()).rejects.toMatchObject({ code: 'hold-failed' });
  }
});

test('a refusal fails the hold; of the release it is logged, after three tries', async () => {
  await using server = await listening(503);
  const said: string[] = [];
  const holding = commands(`http://localhost:${server.port}/`, `http://localhost:${server.port}/`, said);
  await expect(holding.hold()).rejects.toMatchObject({ message: expect.stringContaining('answered 503') });
  await holding.release();
  expect(server.asked).toHaveLength(4);
  expect(said).toEqual(['proxy could not be told to release its requests: It answered 503.']);
});
