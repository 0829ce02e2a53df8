import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { ApiError, type Client, createClient } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { fetchUpload } from './fetch-upload.ts';
import { locateServer, type ServerAddress, type ServerOptions } from './locate-server.ts';

/** Longest wait for an answer; streams and uploads have none. */
const answerTimeoutMs = 60_000;

/** A client of the server that the options, the environment or this machine's data directory name. */
export async function connect(context: CliContext, options: ServerOptions): Promise<Client> {
  return clientOf(await locateServer(context, options));
}

/**
 * The protocol's client, with every failure of the connection told as `server-unreachable` and every answer that is
 * not of this protocol as `server-incompatible`. Errors that the server answers stay `ApiError`.
 */
export function clientOf(address: ServerAddress): Client {
  const client = createClient({ ...address, fetch: fetchWithTimeout });
  return {
    call: async (name, options) => {
      try {
        return await client.call(name, options);
      } catch (error) {
        throw connectionError(error, address);
      }
    },
    open: async (name, options) => {
      try {
        return await client.open(name, options);
      } catch (error) {
        throw connectionError(error, address);
      }
    },
    addressOf: client.addressOf,
    upload: async (name, file, options) => {
      try {
        return await client.upload(name, file, options);
      } catch (error) {
        throw connectionError(error, address);
      }
    },
    stream: async function* (name, options) {
      try {
        yield* client.stream(name, options);
      } catch (error) {
        throw connectionError(error, address);
      }
    },
  };
}

const fetchWithTimeout: typeof globalThis.fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  if (headers.get('accept') !== 'application/json') return fetch(input, init);
  if (headers.get('content-type') === 'application/octet-stream') return fetchUpload(input, init);
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  return fetch(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout });
};

export function connectionError(error: unknown, { url }: ServerAddress): unknown {
  if (error instanceof HoldfastError || error instanceof ApiError || !(error instanceof Error)) return error;
  const origin = new URL(url).origin;
  if (error.name === 'TimeoutError') {
    return new HoldfastError(
      'server-unreachable',
      `The server at ${origin} did not answer within ${answerTimeoutMs / 1000} s.`,
      { retry: true, cause: error },
    );
  }
  if (error.name === 'ZodError' || error instanceof SyntaxError) {
    return new HoldfastError(
      'server-incompatible',
      `What ${origin} answered is not what a Holdfast server says.`,
      {
        hint: 'Check the URL, and that server and command line are of the same version (`holdfast --version`).',
        cause: error,
      },
    );
  }
  if (error.name === 'AbortError') return error;
  const reason = systemErrorCode(error.cause) ?? systemErrorCode(error) ?? error.message;
  return new HoldfastError('server-unreachable', `The server at ${origin} cannot be reached (${reason}).`, {
    hint: 'Start it with `holdfast server`, or check --url and HOLDFAST_URL.',
    retry: true,
    cause: error,
  });
}
