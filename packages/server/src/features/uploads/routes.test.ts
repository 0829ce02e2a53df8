import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '@holdfast/base';
import { describe, expect, it } from 'vitest';
import { openTestApi } from '../../testing/test-api.ts';

describe('an upload', () => {
  it('is the body of a request, or the file of a form', async () => {
    await using api = await openTestApi();
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
    const form = new FormData();
    form.append('note', 'filename=no');
    form.append('file', new Blob(['of a form']), 'archive.tar');
    const stream = new Blob(['of a stream']).stream();
    const bodies: readonly [RequestInit['body'], Record<string, string>, string][] = [
      ['plain', { 'content-type': 'application/octet-stream' }, 'plain'],
      [stream, { 'content-type': 'application/octet-stream' }, 'of a stream'],
      [form, {}, 'of a form'],
    ];
    for (const [body, headers, content] of bodies) {
      const response = await fetch(`${url}/api/v1/uploads`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await api.tokenWith(['backup:import'])}`, ...headers },
        body: body ?? null,
        duplex: 'half',
      });
      const { id, bytes } = (await response.json()) as { id: string; bytes: number };
      expect(response.status).toBe(200);
      expect(bytes).toBe(content.length);
      expect(readFileSync(join(api.config.dataDirectory, 'uploads', id), 'utf8')).toBe(content);
    }
    expect(readdirSync(join(api.config.dataDirectory, 'uploads'))).toHaveLength(3);
  });

  it('may be larger than what is read into memory', async () => {
    await using api = await openTestApi();
    const client = await api.listen();
    const pieces = Array.from({ length: 50 }, () => new Uint8Array(1_000_000));
    expect(await client.upload('upload.create', new Blob(pieces), {})).toMatchObject({ bytes: 50_000_000 });
  });

  it('that is refused on the way keeps no connection, and no server from its end', async () => {
    await using api = await openTestApi({ importLimitBytes: '1000000' });
    const client = await api.listen();
    const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(100_000)) });
    await expect(client.upload('upload.create', endless, {})).rejects.toMatchObject({
      report: { code: 'upload-too-large' },
    });
    expect(readdirSync(join(api.config.dataDirectory, 'uploads'))).toEqual([]);
    await api.app.close();
  });

  it('ends with the server', async () => {
    await using api = await openTestApi();
    const client = await api.listen();
    const folder = join(api.config.dataDirectory, 'uploads');
    const stalled = new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(10)) });
    const uploading = client.upload('upload.create', stalled, {}).catch((error: unknown) => error);
    while (!existsSync(folder) || readdirSync(folder).length === 0) await sleep(5);
    await api.app.close();
    expect(await uploading).toBeInstanceOf(Error);
    while (readdirSync(folder).length > 0) await sleep(5);
  });

  it('needs the right, and a file', async () => {
    await using api = await openTestApi();
    const post = async (headers: Readonly<Record<string, string>>, payload?: string) => {
      const url = '/api/v1/uploads';
      const response = await api.app.inject({ method: 'POST', url, headers, ...(payload && { payload }) });
      return { status: response.statusCode, code: response.json().code };
    };
    const bytes = { 'content-type': 'application/octet-stream' };
    expect(await post(bytes, 'x')).toMatchObject({ status: 401 });
    const reader = { authorization: `Bearer ${await api.tokenWith(['backup:read'])}` };
    expect(await post({ ...reader, ...bytes }, 'x')).toMatchObject({ status: 403 });
    const importer = { authorization: `Bearer ${await api.tokenWith(['backup:import'])}` };
    expect(await post(importer)).toEqual({ status: 400, code: 'usage-invalid' });
    expect(await post({ ...importer, 'content-type': 'application/json' }, '{}')).toEqual({
      status: 400,
      code: 'usage-invalid',
    });
  });
});

describe('an import', () => {
  it('is of a URL or of an upload that is there', async () => {
    await using api = await openTestApi();
    const client = await api.listen();
    const refused: readonly [Readonly<Record<string, string>>, string][] = [
      [{}, 'usage-invalid'],
      [{ url: 'https://example.org', upload: 'upl_0123456789abcdef' }, 'usage-invalid'],
      [{ url: 'file:///etc/passwd' }, 'url-refused'],
      [{ upload: 'upl_0123456789abcdef' }, 'upload-unknown'],
      [{ upload: '../../etc/passwd' }, 'usage-invalid'],
    ];
    for (const [body, code] of refused) {
      const importing = client.call('import.create', { params: { environment: 'shop' }, body });
      await expect(importing, JSON.stringify(body)).rejects.toMatchObject({ report: { code } });
    }
  });
});
