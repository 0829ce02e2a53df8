/** The labels that Compose (v1 and v2) puts on what it makes. */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  workingDir: 'com.docker.compose.project.working_dir',
  configFiles: 'com.docker.compose.project.config_files',
  environmentFiles: 'com.docker.compose.project.environment_file',
  oneOff: 'com.docker.compose.oneoff',
  /** On a volume: its name within the Compose file. */
  volume: 'com.docker.compose.volume',
  /** On a network: its name within the Compose file. */
  network: 'com.docker.compose.network',
  /** On a container: the id of the one whose place it took. */
  replace: 'com.docker.compose.replace',
  /** Of the Compose that made it. */
  version: 'com.docker.compose.version',
} as const;

/** The labels that users put on a service for Holdfast. */
export const holdfastLabels = {
  project: 'holdfast.project',
  environment: 'holdfast.environment',
  environmentType: 'holdfast.environment.type',
  component: 'holdfast.component',
  backup: 'holdfast.backup',
  backupPre: 'holdfast.backup.pre',
  backupPost: 'holdfast.backup.post',
  backupPreset: 'holdfast.backup.preset',
  backupCommand: 'holdfast.backup.command',
  backupTimeout: 'holdfast.backup.timeout',
  backupCron: 'holdfast.backup.cron',
  restoreCommand: 'holdfast.restore.command',
  restoreTimeout: 'holdfast.restore.timeout',
  retention: 'holdfast.retention',
  /** The longest that the environment may stay paused, on any of its services; the shortest counts. */
  holdLimit: 'holdfast.hold.limit',
  hookOnError: 'holdfast.hook.on_error',
  hookTimeout: 'holdfast.hook.timeout',
  include: 'holdfast.include',
  exclude: 'holdfast.exclude',
  /** On a component that is a gate: `holdfast gate` runs in it. */
  gate: 'holdfast.gate',
  /** On a proxy that can hold requests by itself: what makes it, and what lets them go on. */
  hold: 'holdfast.hold',
  release: 'holdfast.release',
  /** On objects that Holdfast makes for itself. */
  internal: 'holdfast.internal',
  /** Which process made such an object. */
  internalOwner: 'holdfast.internal.owner',
  /** On a container of an app that Holdfast made anew: the work that did. */
  remade: 'holdfast.remade',
} as const;

/** Newer engines mark a volume without a name of its own so. */
export const anonymousVolumeLabel = 'com.docker.volume.anonymous';

export type Labels = Readonly<Record<string, string>>;

/** The label's value; `undefined` also when it is blank. */
export function labelText(labels: Labels, name: string): string | undefined {
  const text = labels[name]?.trim();
  return text === undefined || text === '' ? undefined : text;
}

/** A label that lists things, parted by commas. */
export function labelList(labels: Labels, name: string): string[] {
  return (labels[name] ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
