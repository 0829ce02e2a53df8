import {
  type BackupId,
  type Component,
  type EnvironmentId,
  type EnvironmentSummary,
  type JobId,
  type Mount,
  type NodeId,
  routes,
} from '@holdfast/protocol';
import { z } from 'zod';

const environmentShape = routes['environment.get'].response.shape;

/** When a component is backed up by itself, as its labels or its settings say it; not checked. */
const cronSchema = z.object({ component: z.string(), cron: z.string(), retention: z.string().nullable() });

export type SeenCron = z.infer<typeof cronSchema>;

/** Components and mounts as discovery sees them: what an inactive environment is restored by. */
export const seenSchema = z.object({
  components: environmentShape.components,
  mounts: environmentShape.mounts,
  crons: z.array(cronSchema).default([]),
});

export interface SeenEnvironment {
  readonly components: Component[];
  readonly mounts: Mount[];
  readonly crons: SeenCron[];
}

export interface EnvironmentRecord {
  readonly id: EnvironmentId;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly project: string;
  readonly name: string;
  readonly type: EnvironmentSummary['type'];
  readonly folder: string | null;
  readonly state: EnvironmentSummary['state'];
  readonly seen: SeenEnvironment;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  /** When its newest ready backup was begun. */
  readonly lastBackupAtMs: number | null;
  readonly unfinishedRestore: UnfinishedRestore | null;
  /** When its user deleted it: it is followed no more, and what is left of it goes when the grace is over. */
  readonly deletedAtMs: number | null;
  /** Components that a user deleted, and that Docker has not had since. */
  readonly deletedComponents: readonly DeletedComponent[];
}

export interface DeletedComponent {
  readonly name: string;
  readonly deletedAtMs: number;
}

/** The project of one that is there for the job's sake alone that adopts a repository; shown as soon as it has backups. */
export const beingAdopted = '';

/** A restore whose job is over, and whose journal is still there. */
export interface UnfinishedRestore {
  readonly jobId: JobId;
  readonly backupId: BackupId;
  readonly startedAtMs: number;
  readonly reason: string;
}

/** One environment as a node shows it now. */
export interface DiscoveredEnvironment {
  readonly name: string;
  readonly project: string;
  readonly type: EnvironmentSummary['type'];
  readonly folder: string | null;
  readonly seen: SeenEnvironment;
}
