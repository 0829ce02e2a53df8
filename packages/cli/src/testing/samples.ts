import {
  type Backup,
  type BackupSummary,
  backupIdSchema,
  type Environment,
  type EnvironmentSummary,
  environmentIdSchema,
  type Job,
  jobIdSchema,
  nodeIdSchema,
  vaultIdSchema,
} from '@holdfast/protocol';

/** 2026-11-21T02:00:00Z */
export const sampleTimeMs = 1_795_226_400_000;

export const sampleBackupId = backupIdSchema.parse('bak_0123456789abcdef');
export const sampleJobId = jobIdSchema.parse('job_0123456789abcdef');

export function sampleEnvironment(
  name: string,
  change: Partial<EnvironmentSummary> = {},
): EnvironmentSummary {
  return {
    id: environmentIdSchema.parse(`env_${name.padEnd(16, '0')}`),
    name,
    project: 'default',
    type: 'production',
    state: 'active',
    nodeId: nodeIdSchema.parse('nod_0123456789abcdef'),
    nodeName: 'local',
    isReachable: true,
    folder: `/srv/${name}`,
    components: ['web', 'db'],
    lastBackupAtMs: sampleTimeMs,
    deletion: null,
    ...change,
  };
}

export function sampleEnvironmentDetail(name: string, change: Partial<Environment> = {}): Environment {
  return {
    ...sampleEnvironment(name),
    components: [
      { name: 'web', instances: [{ containerId: 'c1', name: `${name}-web-1`, state: 'running' }] },
      { name: 'db', instances: [] },
    ],
    commands: [],
    mounts: [
      {
        name: `${name}_uploads`,
        source: { kind: 'volume', name: `${name}_uploads`, driver: 'local', labels: {}, options: {} },
        mountPoints: [{ component: 'web', path: '/uploads', readOnly: false }],
        included: true,
        reason: 'It is a named volume.',
      },
      {
        name: '/etc/localtime',
        source: { kind: 'bind', path: '/etc/localtime' },
        mountPoints: [{ component: 'web', path: '/etc/localtime', readOnly: true }],
        included: false,
        reason: "It is the machine's own configuration.",
      },
    ],
    writesOutsideMounts: ['web'],
    unfinishedRestore: null,
    deletedComponents: [],
    ...change,
  };
}

export function sampleBackupSummary(change: Partial<BackupSummary> = {}): BackupSummary {
  return {
    id: sampleBackupId,
    environmentId: sampleEnvironment('guestbook').id,
    environmentName: 'guestbook',
    kind: 'manual',
    mode: 'consistent',
    status: 'ready',
    description: '',
    components: ['web', 'db'],
    createdAtMs: sampleTimeMs,
    finishedAtMs: sampleTimeMs + 4_000,
    expiresAtMs: null,
    expiry: {
      atMs: null,
      afterNext: null,
      text: null,
      keptBy: ['until somebody deletes it'],
      removedBy: null,
    },
    bytes: 3 * 1024 * 1024,
    storedBytes: 1_000_000,
    capture: { frozenMs: 85, requestsHeld: null, longestWaitMs: null, unsteadyFiles: 0 },
    pinReason: null,
    doubt: null,
    jobId: sampleJobId,
    ...change,
  };
}

export function sampleBackup(change: Partial<Backup> = {}): Backup {
  return {
    ...sampleBackupSummary(),
    parts: [
      {
        name: 'guestbook_uploads',
        source: { kind: 'volume', name: 'guestbook_uploads', driver: 'local', labels: {}, options: {} },
        mountPoints: [{ component: 'web', path: '/uploads', readOnly: false }],
        snapshotId: 'a'.repeat(64),
        treeId: 'b'.repeat(64),
        files: 20,
        bytes: 2_000_000,
        storedBytes: 900_000,
      },
      {
        name: 'guestbook_db',
        source: { kind: 'volume', name: 'guestbook_db', driver: 'local', labels: {}, options: {} },
        mountPoints: [{ component: 'db', path: '/var/lib/postgresql/data', readOnly: false }],
        snapshotId: 'c'.repeat(64),
        treeId: 'd'.repeat(64),
        files: 1_214,
        bytes: 1_145_728,
        storedBytes: 100_000,
      },
    ],
    commitId: null,
    createdBy: 'token first',
    vaultId: vaultIdSchema.parse('vlt_0123456789abcdef'),
    repository: '/var/lib/holdfast/vaults/local/rep_0123456789abcdef',
    passwordFile: '/var/lib/holdfast/recovery/local.key',
    manifestSnapshotId: 'e'.repeat(64),
    error: null,
    ...change,
  };
}

export function sampleJob(change: Partial<Job> = {}): Job {
  return {
    id: sampleJobId,
    kind: 'backup',
    state: 'queued',
    environmentId: sampleEnvironment('guestbook').id,
    environmentName: 'guestbook',
    backupId: sampleBackupId,
    step: '',
    progress: null,
    error: null,
    warnings: [],
    cancelRequested: false,
    createdBy: 'token first',
    createdAtMs: sampleTimeMs,
    startedAtMs: sampleTimeMs,
    finishedAtMs: null,
    ...change,
  };
}
