import { isDeepStrictEqual } from 'node:util';
import { composeLabels } from '../discovery/labels.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../engine-port/json-object.ts';
import { cleanPath, declaredMounts } from '../model/declared-mounts.ts';
import type { ComposeDifferences, ContainerModel, EnvironmentModel } from '../model/environment-model.ts';
import { numberAt, objectAt, objectsAt, textAt, textsAt } from '../model/json-access.ts';

export interface CompareComposeOptions {
  /** By an image's id: the names of the variables that it has itself. */
  readonly imageVariables: ReadonlyMap<string, readonly string[]>;
}

/** The `docker` command gives them to what it makes, as its own configuration says. */
const proxyVariable = /^(?:https?|ftp|no|all)_proxy$/i;

/** Names are what somebody chose; they become a part of every backup. */
const [longestField, mostFields] = [200, 1000];

/** One service of the resolved files, and what the files say of the project's volumes and networks. */
interface Service {
  readonly name: string;
  readonly asked: JsonObject;
  readonly resolved: JsonObject;
  readonly project: string;
}

/** Compares what `docker compose config` says with what the containers of the project are. */
export function compareComposeFiles(
  resolved: JsonObject,
  { project, containers }: Pick<EnvironmentModel, 'project' | 'containers'>,
  options: CompareComposeOptions,
): ComposeDifferences {
  const services = objectAt(resolved, 'services');
  const byService = Map.groupBy(
    containers.filter((container) => labelOf(container, composeLabels.project) === project),
    (container) => labelOf(container, composeLabels.service),
  );
  const differences = new Map<string, readonly string[]>();
  for (const [name, asked] of Object.entries(services)) {
    if (!isJsonObject(asked)) continue;
    const made = byService.get(name) ?? [];
    const service = { name, asked, resolved, project: project ?? '' };
    const found = [
      ...replicaDifference(asked, made.length),
      ...made.flatMap((container) => differencesOf(service, container, options)),
    ];
    const fields = [...new Set(found)].sort().map((field) => field.slice(0, longestField));
    if (fields.length > 0) differences.set(made[0]?.component ?? name, fields.slice(0, mostFields));
  }
  for (const [name, [container]] of byService) {
    if (services[name] === undefined && container !== undefined)
      differences.set(container.component, ['no such service']);
  }
  return Object.fromEntries([...differences].sort());
}

/** A service of a profile is there only where somebody asked for it. */
function replicaDifference(asked: JsonObject, count: number): string[] {
  const isOptional = textsAt(asked, 'profiles').length > 0;
  if (count === 0 && isOptional) return [];
  const wanted = objectAt(asked, 'deploy').replicas ?? asked.scale ?? 1;
  return wanted === count ? [] : ['replicas'];
}

function differencesOf(
  service: Service,
  container: ContainerModel,
  { imageVariables }: CompareComposeOptions,
): string[] {
  const { asked, name, project } = service;
  const image = textAt(asked, 'image');
  return [
    ...(image === container.image.reference || (image === '' && isBuiltName(container, { name, project }))
      ? []
      : ['image']),
    ...variableDifferences(asked, container, imageVariables.get(container.image.id)),
    ...labelDifferences(asked, container),
    ...fieldDifferences(asked, container),
    ...mountDifferences(service, container),
    ...networkDifferences(service, container),
  ];
}

/** Compose names what it builds after project and service: version 1 with `_`. */
function isBuiltName(
  { image }: ContainerModel,
  { name, project }: { readonly name: string; readonly project: string },
): boolean {
  return [`${project}-${name}`, `${project}_${name}`].includes(image.reference.replace(/:latest$/, ''));
}

function variableDifferences(
  asked: JsonObject,
  { config }: ContainerModel,
  ofImage: readonly string[] | undefined,
): string[] {
  const now = new Map(
    textsAt(config, 'Env').map((line) => {
      const [variable = '', ...value] = line.split('=');
      return [variable, value.join('=')] as const;
    }),
  );
  const wanted = Object.entries(objectAt(asked, 'environment'));
  const names = new Set([...wanted.map(([variable]) => variable), ...(ofImage ?? [])]);
  const surplus = [...now.keys()].filter((variable) => !names.has(variable) && !proxyVariable.test(variable));
  // A variable without a value is that of the shell, if it has one.
  const other = wanted.filter(([variable, value]) => value !== null && now.get(variable) !== plain(value));
  const different = [...other.map(([variable]) => variable), ...(ofImage === undefined ? [] : surplus)];
  return different.map((variable) => `environment.${variable}`);
}

function labelDifferences(asked: JsonObject, { config }: ContainerModel): string[] {
  const labels = objectAt(config, 'Labels');
  return Object.entries(objectAt(asked, 'labels'))
    .filter(([label, value]) => labels[label] !== plain(value))
    .map(([label]) => `labels.${label}`);
}

/** Fields of a service that are fields of a container, each as both have it; `undefined` where the files say nothing of it. */
function fieldDifferences(asked: JsonObject, { config, hostConfig }: ContainerModel): string[] {
  const limits = objectAt(objectAt(objectAt(asked, 'deploy'), 'resources'), 'limits');
  const policy = objectAt(hostConfig, 'RestartPolicy');
  const retries = numberAt(policy, 'MaximumRetryCount');
  const pairs: Readonly<Record<string, readonly [wanted: unknown, now: unknown]>> = {
    command: [wordsOf(asked.command), wordsOf(config.Cmd)],
    entrypoint: [wordsOf(asked.entrypoint), wordsOf(config.Entrypoint)],
    user: [given(asked.user), config.User],
    working_dir: [given(asked.working_dir), config.WorkingDir],
    hostname: [given(asked.hostname), config.Hostname],
    privileged: [asked.privileged ?? false, hostConfig.Privileged ?? false],
    read_only: [asked.read_only ?? false, hostConfig.ReadonlyRootfs ?? false],
    init: [asked.init ?? undefined, hostConfig.Init ?? false],
    tty: [asked.tty ?? false, config.Tty ?? false],
    restart: [
      objectAt(asked, 'deploy').restart_policy === undefined ? (asked.restart ?? 'no') : undefined,
      `${textAt(policy, 'Name') || 'no'}${retries === 0 ? '' : `:${retries}`}`,
    ],
    mem_limit: [Number(limits.memory ?? asked.mem_limit ?? 0), numberAt(hostConfig, 'Memory')],
    cpus: [Number(limits.cpus ?? asked.cpus ?? 0), numberAt(hostConfig, 'NanoCpus') / 1e9],
    cap_add: [capabilities(asked, 'cap_add'), capabilities(hostConfig, 'CapAdd')],
    cap_drop: [capabilities(asked, 'cap_drop'), capabilities(hostConfig, 'CapDrop')],
    ports: [portsAsked(asked), portsBound(hostConfig)],
    healthcheck: [
      wordsOf(objectAt(asked, 'healthcheck').test),
      wordsOf(objectAt(config, 'Healthcheck').Test),
    ],
  };
  return Object.entries(pairs)
    .filter(([, [wanted, now]]) => wanted !== undefined && !isDeepStrictEqual(wanted, now))
    .map(([field]) => field);
}

function capabilities(from: JsonObject, name: string): readonly string[] {
  return textsAt(from, name)
    .map((capability) => capability.toUpperCase().replace(/^CAP_/, ''))
    .sort();
}

function portsAsked(asked: JsonObject): readonly string[] {
  return objectsAt(asked, 'ports')
    .map((port) =>
      portText({
        hostAddress: textAt(port, 'host_ip'),
        published: port.published === undefined ? '' : String(port.published),
        target: `${port.target}/${textAt(port, 'protocol') || 'tcp'}`,
      }),
    )
    .sort();
}

function portsBound(hostConfig: JsonObject): readonly string[] {
  const bindings = objectAt(hostConfig, 'PortBindings');
  return Object.keys(bindings)
    .flatMap((target) =>
      objectsAt(bindings, target).map((binding) =>
        portText({ hostAddress: textAt(binding, 'HostIp'), published: textAt(binding, 'HostPort'), target }),
      ),
    )
    .sort();
}

/** Port 0 is any that is free, as none is. */
function portText({ hostAddress, published, target }: Readonly<Record<string, string>>): string {
  return `${hostAddress}:${published === '0' ? '' : published}:${target}`;
}

function mountDifferences({ asked, resolved, project }: Service, container: ContainerModel): string[] {
  if (textsAt(asked, 'volumes_from').length > 0) return [];
  const now = new Map(declaredMounts(container).map((mount) => [mount.destination, mount]));
  const unnamed = new Set(container.volumes.flatMap((each) => (each.isAnonymous ? [each.destination] : [])));
  const given = new Set<string>(['secrets', 'configs'].flatMap((kind) => filesGiven(asked, kind)));
  const mounts = objectsAt(asked, 'volumes').filter(({ type }) => type === 'volume' || type === 'bind');
  const other = mounts.filter((mount) => {
    const found = now.get(cleanPath(textAt(mount, 'target')));
    const source = textAt(mount, 'source');
    if (found === undefined || source === '') return found === undefined;
    const volume = textAt(objectAt(objectAt(resolved, 'volumes'), source), 'name') || `${project}_${source}`;
    const wanted = mount.type === 'volume' ? volume : cleanPath(source);
    return found.source !== wanted || found.isReadOnly !== (mount.read_only ?? false);
  });
  const wanted = new Set(mounts.map((mount) => cleanPath(textAt(mount, 'target'))));
  const surplus = [...now.keys()].filter(
    (destination) => !wanted.has(destination) && !given.has(destination) && !unnamed.has(destination),
  );
  const targets = [...other.map((mount) => cleanPath(textAt(mount, 'target'))), ...surplus];
  return targets.map((target) => `volumes.${target}`);
}

/** Where secrets and configurations are mounted. */
function filesGiven(asked: JsonObject, kind: string): string[] {
  return objectsAt(asked, kind).map((file) => {
    const target = textAt(file, 'target') || textAt(file, 'source');
    if (target.startsWith('/')) return cleanPath(target);
    return kind === 'secrets' ? `/run/secrets/${target}` : `/${target}`;
  });
}

function networkDifferences({ asked, resolved, project }: Service, container: ContainerModel): string[] {
  const mode = textAt(asked, 'network_mode');
  // Another's network is named by a container, which files and engine call otherwise.
  if (/^(?:service|container):/.test(mode)) return [];
  if (mode !== '') return container.hostConfig.NetworkMode === mode ? [] : ['network_mode'];
  const known = objectAt(resolved, 'networks');
  const wanted = Object.keys(objectAt(asked, 'networks')).map(
    (name) => textAt(objectAt(known, name), 'name') || `${project}_${name}`,
  );
  return isDeepStrictEqual(wanted.sort(), Object.keys(container.endpoints).sort()) ? [] : ['networks'];
}

function labelOf({ config }: ContainerModel, label: string): string {
  return textAt(objectAt(config, 'Labels'), label);
}

/** `undefined` where the files leave it to the image. */
function given(value: JsonValue | undefined): string | undefined {
  return value === undefined || value === null ? undefined : plain(value);
}

function wordsOf(value: JsonValue | undefined): readonly string[] | undefined {
  return Array.isArray(value) ? value.map((word: JsonValue) => plain(word)) : undefined;
}

/** Compose doubles each dollar sign of what it prints. */
function plain(value: JsonValue): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('$$', '$');
}
