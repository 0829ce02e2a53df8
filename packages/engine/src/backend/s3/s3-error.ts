import { type ErrorCode, HoldfastError, isHoldfastError, toHoldfastError } from '@holdfast/base';

export type Access = 'read' | 'write';

/** A failed request as far as we may tell of it: the library's own error carries the request, and that its signature. */
interface Failure {
  /** What the server, the library or the system calls it. */
  readonly name: string;
  readonly status: number | undefined;
}

const credentialFailures: readonly string[] = [
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'InvalidSecurity',
  'NotSignedUp',
  'AccountProblem',
  'Unauthorized',
];

const fullFailures: readonly string[] = [
  'QuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'XMinioStorageFull',
  'StorageFull',
  'InsufficientStorage',
  'InsufficientCapacity',
];

/** The server means: not now, or not like this, but the same again. */
const passingFailures: readonly string[] = [
  'SlowDown',
  'InternalError',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'RequestTimeout',
  'OperationAborted',
  'ConditionalRequestConflict',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequests',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'IncompleteBody',
  'TimeoutError',
];

const passingStatuses: readonly (number | undefined)[] = [408, 425, 429, 500, 502, 503, 504];

const wrongRegionFailures: readonly string[] = [
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
];

const connectionFailures =
  /^(?:E(?:CONN[A-Z]+|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|NETDOWN|NETRESET|HOSTDOWN)|ERR_STREAM_PREMATURE_CLOSE|HPE_.*)$/;
const certificateFailures =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|ERR_TLS_CERT|INVALID_CA|INVALID_PURPOSE)/;
const encryptionFailures = /^(?:EPROTO|ERR_SSL_|ERR_TLS_)/;

interface Meaning {
  fits(failure: Failure): boolean;
  readonly code: ErrorCode | Readonly<Record<Access, ErrorCode>>;
  message(location: string, name: string, access: Access): string;
  readonly hint: string;
  readonly retry?: boolean;
}

/** The first one that fits is meant. */
const meanings: readonly Meaning[] = [
  {
    fits: ({ name }) => name === 'NoSuchBucket',
    code: 'storage-bucket-missing',
    message: (location) => `There is no bucket as in ${location}.`,
    hint: 'Check the name of the bucket and of the server; repository:init makes a bucket that is missing.',
  },
  {
    fits: ({ name }) => name === 'CredentialsProviderError',
    code: 'storage-credentials-wrong',
    message: (location) => `There are no credentials for ${location}.`,
    hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  },
  {
    fits: ({ name, status }) => credentialFailures.includes(name) || status === 401,
    code: 'storage-credentials-wrong',
    message: (location, name) => `${location} does not accept the credentials: ${name}.`,
    hint: 'Check the access key and the secret key, and that they belong to this server.',
  },
  {
    fits: ({ name, status }) => fullFailures.includes(name) || status === 507,
    code: 'storage-full',
    message: (location, name) => `There is no room left in ${location}: ${name}.`,
    hint: 'Free some space there, or raise its quota, and try again.',
  },
  {
    fits: ({ name, status }) => wrongRegionFailures.includes(name) || status === 301,
    code: 'storage-unreachable',
    message: (location, name) => `${location} belongs to another region than was asked: ${name}.`,
    hint: 'Give the region of the bucket: -o s3.region=NAME or AWS_DEFAULT_REGION.',
  },
  {
    fits: ({ name }) => certificateFailures.test(name),
    code: 'storage-unreachable',
    message: (location, name) => `${location} does not prove to be who it says it is: ${name}.`,
    hint: 'Check the address. For a certificate of your own, set NODE_EXTRA_CA_CERTS to the file of its authority.',
  },
  {
    fits: ({ name }) => encryptionFailures.test(name),
    code: 'storage-unreachable',
    message: (location, name) => `${location} does not answer in HTTPS: ${name}.`,
    hint: 'If that server speaks plain HTTP, write s3:http://… and keep it within a trusted network.',
  },
  {
    fits: ({ name }) => name === 'RequestTimeTooSkewed',
    code: 'storage-unreachable',
    message: (location) => `${location} has another time than this machine.`,
    hint: 'Set the clocks right.',
    retry: true,
  },
  {
    fits: ({ name, status }) =>
      passingFailures.includes(name) || passingStatuses.includes(status) || connectionFailures.test(name),
    code: 'storage-unreachable',
    message: (location, name) => `${location} does not answer as it should: ${name}.`,
    hint: 'Check that the server is up and can be reached from here.',
    retry: true,
  },
  {
    fits: ({ status }) => status === 403,
    code: { read: 'storage-unreachable', write: 'storage-not-writable' },
    message: (location, name, access) => `These credentials may not ${access} in ${location}: ${name}.`,
    hint: 'Grant their owner listing, reading, writing and deleting in the bucket.',
  },
];

const unknownMeaning: Meaning = {
  fits: () => true,
  code: 'storage-unreachable',
  message: (location, name) => `${location} cannot be used: ${name}.`,
  hint: 'Check the location, and what the server logged.',
};

/** Names a failed request for who has to act on it. `location` is the repository's. */
export function s3Error(error: unknown, location: string, access: Access): HoldfastError {
  if (isHoldfastError(error)) return error;
  const failure = failureOf(error);
  if (failure === undefined) return toHoldfastError(error);
  const { name, status } = failure;
  const { code, hint, message, retry } = meanings.find(({ fits }) => fits(failure)) ?? unknownMeaning;
  return new HoldfastError(typeof code === 'string' ? code : code[access], message(location, name, access), {
    hint,
    retry: retry === true,
    context: { location, answer: name, ...(status === undefined ? {} : { status }) },
  });
}

/** The status of the answer that a failed request got. */
export function answeredStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** What the server calls the failure. */
export function answeredName(error: unknown): string | undefined {
  return answeredStatus(error) === undefined || !(error instanceof Error) ? undefined : error.name;
}

function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const status = answeredStatus(error);
  // An answer that cannot be understood, whatever its status: a page of some proxy, or one that was cut off.
  if (status !== undefined && status < 300) return { name: 'InternalError', status };
  if (status !== undefined) return { name: error.name, status };
  if ('code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_INVALID')) {
    return { name: error.message === 'aborted' ? 'ECONNRESET' : error.code, status };
  }
  if (error.name === 'TimeoutError' || error.name === 'CredentialsProviderError') {
    return { name: error.name, status };
  }
  return undefined;
}
