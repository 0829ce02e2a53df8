import { type Right, rights } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openTestApi } from '../testing/test-api.ts';

const documentSchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        description: z.string().optional(),
        responses: z.looseObject({}),
      }),
    ),
  ),
});

async function readDocument(api: Awaited<ReturnType<typeof openTestApi>>) {
  const token = await api.tokenWith(['server:read']);
  const answer = await api.app.inject({
    url: '/api/v1/openapi.json',
    headers: { authorization: `Bearer ${token}` },
  });
  return documentSchema.parse(answer.json());
}

// After a change of the API: npx vitest run packages/server/src/http/openapi.test.ts -u
test('docs/openapi.json is up to date', async () => {
  await using api = await openTestApi();
  const document = await readDocument(api);
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../../../docs/openapi.json');
});

test('every operation of the document but healthz needs a token that has its right, or a sealed link', async () => {
  await using api = await openTestApi();
  const { paths } = await readDocument(api);
  let walked = 0;
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      if (path === '/api/v1/healthz') continue;
      const url = path.replaceAll(/\{\w+\}/g, 'x');
      if (operation.operationId === 'backup.linked') {
        // Its path is the proof: one that nobody sealed is as good as none.
        expect((await api.app.inject({ method: 'GET', url })).statusCode).toBe(401);
        continue;
      }
      const statusWith = async (headers: Record<string, string>) =>
        (await api.app.inject({ method: method.toUpperCase() as 'GET', url, headers })).statusCode;
      const right = /`(?<right>[\w:]+)`/.exec(operation.description ?? '')?.groups?.right as Right;
      expect(rights, operation.operationId).toContain(right);
      expect(await statusWith({}), operation.operationId).toBe(401);
      const others = await api.tokenWith(rights.filter((other) => other !== right));
      expect(await statusWith({ authorization: `Bearer ${others}` }), operation.operationId).toBe(403);
      const own = await api.tokenWith([right]);
      expect([401, 403]).not.toContain(await statusWith({ authorization: `Bearer ${own}` }));
      walked += 1;
    }
  }
  expect(walked).toBeGreaterThan(10);
});

test('every reference of the document leads somewhere', async () => {
  await using api = await openTestApi();
  const text = JSON.stringify(await readDocument(api));
  const document: unknown = JSON.parse(text);
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(references.length).toBeGreaterThan(0);
  for (const reference of references) {
    let place: unknown = document;
    for (const name of reference.split('/')) {
      place = typeof place === 'object' && place !== null ? Reflect.get(place, name) : undefined;
    }
    expect(place, reference).toBeDefined();
  }
});
