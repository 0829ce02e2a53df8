import { inspect } from 'node:util';
import { HoldfastError } from '@holdfast/base';
import { describe, expect, it } from 'vitest';
import { s3Error } from './s3-error.ts';

function answer(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error('hunter2'), { name, $metadata: { httpStatusCode } });
}

function broken(code: string): Error {
  return Object.assign(new Error('hunter2'), { code });
}

describe('s3Error', () => {
  it.each([
    [answer('SlowDown', 503), 'storage-unreachable', true],
    [answer('RequestTimeout', 400), 'storage-unreachable', true],
    [answer('XAmzContentSHA256Mismatch', 400), 'storage-unreachable', true],
    [answer('RequestTimeTooSkewed', 403), 'storage-unreachable', true],
    [answer('SyntaxError', 200), 'storage-unreachable', true],
    [answer('Unknown', 502), 'storage-unreachable', true],
    [answer('NoSuchBucket', 404), 'storage-bucket-missing', false],
    [answer('SignatureDoesNotMatch', 403), 'storage-credentials-wrong', false],
    [answer('ExpiredToken', 400), 'storage-credentials-wrong', false],
    [answer('AccessDenied', 403), 'storage-not-writable', false],
    [answer('QuotaExceeded', 403), 'storage-full', false],
    [answer('Unknown', 507), 'storage-full', false],
    [answer('PermanentRedirect', 301), 'storage-unreachable', false],
    [answer('MethodNotAllowed', 405), 'storage-unreachable', false],
    [broken('ECONNRESET'), 'storage-unreachable', true],
    [broken('ECONNREFUSED'), 'storage-unreachable', true],
    [broken('EAI_AGAIN'), 'storage-unreachable', true],
    [broken('CERT_HAS_EXPIRED'), 'storage-unreachable', false],
    [broken('EPROTO'), 'storage-unreachable', false],
    [Object.assign(new Error('-'), { name: 'TimeoutError' }), 'storage-unreachable', true],
    [Object.assign(new Error('-'), { name: 'CredentialsProviderError' }), 'storage-credentials-wrong', false],
    [new TypeError('a defect'), 'internal', false],
  ])('names %s as %s', (error, code, retry) => {
    const named = s3Error(error, 's3:example.org/bucket', 'write');
    expect(named).toMatchObject({ code, retry, hint: expect.any(String) });
    if (code !== 'internal') {
      expect(inspect(named, { depth: null, showHidden: true })).not.toContain('hunter2');
    }
  });

  it('leaves an error that has a name', () => {
    const error = new HoldfastError('interrupted', 'Stopped.');
    expect(s3Error(error, 's3:example.org/bucket', 'read')).toBe(error);
  });
});
