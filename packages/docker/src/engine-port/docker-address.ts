import { HoldfastError } from '@holdfast/base';

/** Where an engine listens: a socket of this machine, or a port. */
export type DockerAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

export const defaultDockerHost = 'unix:///var/run/docker.sock';

/** Docker's own for plain HTTP. */
const defaultPort = 2375;

/** @throws HoldfastError `configuration-invalid` for what cannot be spoken to by this version */
export function parseDockerHost(text: string): DockerAddress {
  const path = text.startsWith('unix://') ? text.slice('unix://'.length) : undefined;
  if (path?.startsWith('/')) return { socketPath: path };
  const url = /^tcp:\/\/[^/?#@]+$/.test(text) ? URL.parse(text.replace(/^tcp:/, 'http:')) : null;
  if (url !== null && url.hostname !== '') {
    // What an address in brackets is without them.
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return { host, port: url.port === '' ? portOf(text) : Number(url.port) };
  }
  throw new HoldfastError('configuration-invalid', `Docker host ${text} is not understood.`, {
    hint: `Write it as unix:///path/to/docker.sock or tcp://host:port, without TLS; ssh:// and https:// are not spoken yet. Docker's own default is ${defaultDockerHost}.`,
    context: { host: text },
  });
}

/** The port of HTTP is left out of a URL, also where it was written. */
function portOf(text: string): number {
  return text.endsWith(':80') ? 80 : defaultPort;
}
