import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseS3Location } from './s3-location.ts';

describe('parseS3Location', () => {
  it.each([
    ['s3:https://example.org/bucket', true, 'example.org', 'bucket', ''],
    ['s3:http://127.0.0.1:9000/bucket/a/b', false, '127.0.0.1:9000', 'bucket', 'a/b/'],
    ['s3:example.org/bucket/a/', true, 'example.org', 'bucket', 'a/'],
    ['s3://example.org/bucket', true, 'example.org', 'bucket', ''],
    ['s3:s3.amazonaws.com/bucket//a///b', true, 's3.amazonaws.com', 'bucket', 'a/b/'],
    ['s3:https://[::1]:9000/my.bucket_1/ä b', true, '[::1]:9000', 'my.bucket_1', 'ä b/'],
  ])('takes %s apart', (text, isEncrypted, host, bucket, prefix) => {
    expect(parseS3Location(text)).toMatchObject({ text, isEncrypted, host, bucket, prefix });
  });

  it.each([
    ['s3.amazonaws.com', undefined, true],
    ['s3.eu-central-1.amazonaws.com', 'eu-central-1', true],
    ['s3-us-west-2.amazonaws.com', 'us-west-2', true],
    ['s3.cn-north-1.amazonaws.com.cn', 'cn-north-1', true],
    ['s3.us-west-004.backblazeb2.com', 'us-west-004', false],
    ['s3.fr-par.scw.cloud', 'fr-par', false],
    ['s3.example.org', undefined, false],
    ['storage.example.org', undefined, false],
    ['amazonaws.com.example.org', undefined, false],
  ])('knows what the name %s tells', (host, region, isAmazon) => {
    expect(parseS3Location(`s3:${host}/bucket`)).toMatchObject({ region, isAmazon });
  });

  it.each([
    's3:',
    's3:https://',
    's3:https://example.org',
    's3:https://example.org/',
    's3:https:///bucket',
    's3:exa mple.org/bucket',
    's3:example.org:port/bucket',
    's3:example.org/b',
    's3:example.org/-bucket',
    's3:example.org/bucket/../other',
    's3:example.org/bucket/a?versionId=1',
    's3:example.org/bucket/a\0b',
  ])('refuses %j', (text) => {
    const wrong = expect.objectContaining({ code: 'usage-invalid', hint: expect.any(String) });
    expect(() => parseS3Location(text)).toThrow(wrong);
  });

  it('refuses credentials without repeating them', () => {
    const parse = (): unknown => parseS3Location('s3:https://key:secret@example.org/bucket');
    expect(parse).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
    expect(parse).not.toThrow('secret');
  });

  it('gives a place or a coded error for anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rest) => {
        try {
          expect(parseS3Location(`s3:${rest}`).bucket).not.toBe('');
        } catch (error) {
          expect(error).toMatchObject({ code: 'usage-invalid' });
        }
      }),
    );
  });
});
