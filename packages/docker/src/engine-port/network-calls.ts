import { dial, post } from './dial.ts';
import type { NetworkCalls } from './docker-engine.ts';
import type { EngineLink } from './engine-link.ts';
import type { Network } from './engine-objects.ts';
import { type Fields, fieldsOf } from './fields.ts';

const timeoutMs = 30_000;

export function networkCalls({ dockerode, call }: EngineLink): NetworkCalls {
  const pathOf = (name: string) => `/networks/${encodeURIComponent(name)}`;
  const subjectOf = (name: string) => ({ kind: 'network', name }) as const;
  return {
    list: ({ signal } = {}) =>
      call({ action: 'list networks', timeoutMs, signal }, async (abortSignal) => {
        const answer = await dial(dockerode, '/networks', { abortSignal });
        return Array.isArray(answer) ? answer.map((network) => toNetwork(fieldsOf(network))) : [];
      }),
    inspect: (name, { signal } = {}) =>
      call(
        { action: `inspect network ${name}`, subject: subjectOf(name), timeoutMs, signal },
        async (abortSignal) => toNetwork(fieldsOf(await dial(dockerode, pathOf(name), { abortSignal }))),
      ),
    create: (network, { signal } = {}) =>
      call({ action: `create network ${network.name}`, timeoutMs, signal }, async (abortSignal) => {
        const answer = await post(dockerode, '/networks/create', { body: toBody(network), abortSignal });
        return fieldsOf(answer).text('Id');
      }),
    remove: async (name, { signal } = {}) => {
      await call(
        { action: `remove network ${name}`, subject: subjectOf(name), timeoutMs, signal },
        (abortSignal) => dockerode.getNetwork(encodeURIComponent(name)).remove({ abortSignal }),
      );
    },
    connect: async (name, { container, endpoint, signal }) => {
      await call(
        { action: `connect container ${container} to network ${name}`, timeoutMs, signal },
        (abortSignal) =>
          post(dockerode, `${pathOf(name)}/connect`, {
            body: { Container: container, EndpointConfig: endpoint },
            abortSignal,
          }),
      );
    },
  };
}

function toBody(network: Omit<Network, 'id'>) {
  const { ipam } = network;
  return {
    Name: network.name,
    // Two networks of one name are possible otherwise.
    CheckDuplicate: true,
    Driver: network.driver,
    Internal: network.internal,
    Attachable: network.attachable,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: ipam.driver,
      Options: { ...ipam.options },
      Config: ipam.subnets.map(({ subnet, ipRange, gateway, auxiliaryAddresses }) => ({
        ...(subnet === '' ? {} : { Subnet: subnet }),
        ...(ipRange === '' ? {} : { IPRange: ipRange }),
        ...(gateway === '' ? {} : { Gateway: gateway }),
        ...(Object.keys(auxiliaryAddresses).length === 0
          ? {}
          : { AuxiliaryAddresses: { ...auxiliaryAddresses } }),
      })),
    },
    Options: { ...network.options },
    Labels: { ...network.labels },
  };
}

function toNetwork(network: Fields): Network {
  const ipam = network.object('IPAM');
  return {
    id: network.text('Id'),
    name: network.text('Name'),
    driver: network.text('Driver'),
    internal: network.isTrue('Internal'),
    attachable: network.isTrue('Attachable'),
    enableIPv6: network.isTrue('EnableIPv6'),
    ipam: {
      driver: ipam.text('Driver'),
      options: textsOf(ipam.object('Options')),
      subnets: ipam.objects('Config').map((subnet) => ({
        subnet: subnet.text('Subnet'),
        ipRange: subnet.text('IPRange'),
        gateway: subnet.text('Gateway'),
        auxiliaryAddresses: textsOf(subnet.object('AuxiliaryAddresses')),
      })),
    },
    options: textsOf(network.object('Options')),
    labels: textsOf(network.object('Labels')),
  };
}

function textsOf(fields: Fields): Record<string, string> {
  return Object.fromEntries(fields.names().map((name) => [name, fields.text(name)]));
}
