import { Agent } from 'node:http';
import type { Abortable } from '@holdfast/base';
import Dockerode from 'dockerode';
import { chooseApiVersion } from './api-version.ts';
import { containerCalls } from './container-calls.ts';
import { dial } from './dial.ts';
import { type DockerAddress, parseDockerHost } from './docker-address.ts';
import type { DockerEngine } from './docker-engine.ts';
import { createEngineCall, type EngineCall } from './engine-call.ts';
import { toEngineInfo } from './engine-info.ts';
import { openEventStream } from './event-stream.ts';
import { fieldsOf } from './fields.ts';
import { imageCalls } from './image-calls.ts';
import { networkCalls } from './network-calls.ts';
import { volumeCalls } from './volume-calls.ts';

const quickTimeoutMs = 15_000;

export interface ConnectDockerOptions extends Abortable {
  /** `unix:///path/to/docker.sock` or `tcp://host:port` */
  readonly host: string;
}

/**
 * Connects to a Docker Engine and agrees on an API version with it. Nothing is held open between calls: an engine that
 * was restarted is simply reached again, and there is nothing to close.
 *
 * Fails with `configuration-invalid` for a host that cannot be spoken to by this version, `docker-unreachable`, or
 * `docker-refused` when the engine is too old.
 */
export async function connectDocker(options: ConnectDockerOptions): Promise<DockerEngine> {
  const address = parseDockerHost(options.host);
  const call = createEngineCall(options.host);
  const apiVersion = await agreeOnVersion(address, call, options);
  const dockerode = openDockerode(address, apiVersion);
  const link = { host: options.host, dockerode, call };
  return {
    host: options.host,
    apiVersion,
    containers: containerCalls(link),
    volumes: volumeCalls(link),
    networks: networkCalls(link),
    images: imageCalls(link),
    ping: async ({ signal } = {}) => {
      await call({ action: 'answer a ping', timeoutMs: quickTimeoutMs, signal }, (abortSignal) =>
        dial(dockerode, '/_ping', { abortSignal }),
      );
    },
    info: ({ signal } = {}) =>
      call({ action: 'tell about itself', timeoutMs: quickTimeoutMs, signal }, async (abortSignal) =>
        toEngineInfo(await dial(dockerode, '/info', { abortSignal })),
      ),
    openEvents: (eventOptions = {}) => openEventStream(link, eventOptions),
  };
}

async function agreeOnVersion(
  address: DockerAddress,
  call: EngineCall,
  { host, signal }: ConnectDockerOptions,
): Promise<string> {
  const answer = await call(
    { action: 'tell its version', timeoutMs: quickTimeoutMs, signal },
    (abortSignal) => dial(openDockerode(address), '/version', { abortSignal }),
  );
  const version = fieldsOf(answer);
  return chooseApiVersion({
    host,
    newest: version.text('ApiVersion'),
    oldest: version.text('MinAPIVersion'),
  });
}

function openDockerode(address: DockerAddress, apiVersion?: string): Dockerode {
  // All that dockerode would otherwise take from the process's environment is set here. Connections are not kept: on a
  // unix socket they cost nothing, and a kept one fails its next request after the engine was restarted.
  const options = {
    socketPath: undefined,
    host: undefined,
    port: undefined,
    ...address,
    protocol: 'http' as const,
    ca: undefined,
    cert: undefined,
    key: undefined,
    timeout: undefined,
    agent: new Agent({ keepAlive: false }),
    ...(apiVersion === undefined ? {} : { version: `v${apiVersion}` }),
  };
  return new Dockerode(options);
}
