import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Location } from './s3-location.ts';
import type { S3Credentials, S3Options } from './s3-options.ts';

export type S3Sdk = typeof import('@aws-sdk/client-s3');

/** Amazon's library, and a client of it for one location. */
export interface S3Access {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
}

const defaultConnectTimeoutMs = 10_000;
const defaultIdleTimeoutMs = 60_000;
const defaultMaxSockets = 32;

/** What the library has to say comes with its errors. Without a logger it writes to the console. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * The client tries each request once: repeating is up to `withRetries`, which also repeats what breaks while an answer
 * is read. It measures how far this machine's clock is off at each answer, and signs the next request accordingly.
 *
 * The library is loaded here and not before: whoever works on a local directory does not wait for it.
 */
export async function openS3Client(location: S3Location, options: S3Options): Promise<S3Access> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client(configuration(location, options));
  const { onRequest } = options;
  if (onRequest !== undefined) {
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          onRequest(String(commandName).replace(/Command$/, ''));
          return await next(args);
        },
      { step: 'finalizeRequest', priority: 'low', name: 'holdfastRequests' },
    );
  }
  return { sdk, client };
}

function configuration(location: S3Location, options: S3Options): S3ClientConfig {
  const env = options.env ?? process.env;
  const { bucketLookup = 'auto', maxSockets = defaultMaxSockets } = options;
  const credentials = options.credentials ?? credentialsIn(env);
  const endpoint = `${location.isEncrypted ? 'https' : 'http'}://${location.host}`;
  return {
    region: options.region ?? (env.AWS_DEFAULT_REGION || env.AWS_REGION || location.region || 'us-east-1'),
    // Amazon's own follow from the region.
    ...(location.isAmazon ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: withoutEmptyToken(credentials) }),
    forcePathStyle: bucketLookup === 'path' || (bucketLookup === 'auto' && !location.isAmazon),
    tls: location.isEncrypted,
    followRegionRedirects: true,
    maxAttempts: 1,
    logger: silent,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
      socketTimeout: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
      logger: silent,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    },
  };
}

function credentialsIn(env: NonNullable<S3Options['env']>): S3Credentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN,
  };
}

function withoutEmptyToken({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
