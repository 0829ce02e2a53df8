import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { serverFileSchema } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { dataFolder } from './data-folder.ts';

/** What every command that talks to a server takes. */
export interface ServerOptions {
  readonly url?: string;
  readonly tokenFile?: string;
}

export interface ServerAddress {
  readonly url: string;
  readonly token: string;
}

const startHint =
  'Start one with `holdfast server`, or say where it is with --url or HOLDFAST_URL, or where its data is with HOLDFAST_DATA.';

/**
 * Where the server is and what to show it: `--url` and `--token-file`, then `HOLDFAST_URL` and `HOLDFAST_TOKEN`,
 * then what the server on this machine wrote into its data directory. That token is sent to nobody but this machine.
 *
 * @throws HoldfastError `server-unreachable` when there is none to be found; `secret-unreadable` for the token
 */
export async function locateServer(context: CliContext, options: ServerOptions): Promise<ServerAddress> {
  const data = resolve(context.folder, dataFolder(context));
  const given = options.url ?? (context.env.HOLDFAST_URL || undefined);
  const url = given === undefined ? await urlOfServerFile(data) : checkedUrl(given);
  return { url: url.href, token: await findToken(context, options, { data, url }) };
}

async function findToken(
  context: CliContext,
  options: ServerOptions,
  { data, url }: { data: string; url: URL },
): Promise<string> {
  if (options.tokenFile !== undefined) return readToken(resolve(context.folder, options.tokenFile));
  if (context.env.HOLDFAST_TOKEN) return context.env.HOLDFAST_TOKEN;
  if (isLoopback(url)) return readToken(join(data, 'token'));
  throw new HoldfastError('unauthenticated', `There is no token for ${url.origin}.`, {
    hint: 'Give it with --token-file or HOLDFAST_TOKEN.',
  });
}

async function urlOfServerFile(data: string): Promise<URL> {
  const path = join(data, 'server.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = systemErrorCode(error);
    if (reason === 'ENOENT' || reason === 'ENOTDIR') {
      throw new HoldfastError('server-unreachable', `No server is running with the data in ${data}.`, {
        hint: startHint,
        cause: error,
      });
    }
    throw new HoldfastError('server-unreachable', `${path} cannot be read (${reason ?? 'unknown reason'}).`, {
      hint: 'Run this as the user that the server runs as.',
      cause: error,
    });
  }
  const parsed = serverFileSchema.safeParse(parsedJson(text));
  if (!parsed.success) {
    throw new HoldfastError('server-unreachable', `${path} is not what a server writes.`, {
      hint: startHint,
    });
  }
  return checkedUrl(parsed.data.url);
}

async function readToken(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new HoldfastError(
      'secret-unreadable',
      `The token in ${path} cannot be read (${systemErrorCode(error) ?? 'unknown reason'}).`,
      {
        hint: 'Run this as the user that the server runs as, or give a token with --token-file or HOLDFAST_TOKEN.',
        cause: error,
      },
    );
  }
  const token = text.trim();
  if (token !== '' && !/\s/.test(token)) return token;
  throw new HoldfastError('secret-unreadable', `${path} does not hold a token.`);
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new HoldfastError('usage-invalid', `"${text}" is not the URL of a server.`, {
    hint: 'It looks like http://127.0.0.1:8420.',
  });
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
