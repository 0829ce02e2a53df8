import { randomBytes } from 'node:crypto';
import {
  type BackupId,
  backupIdSchema,
  type DeliveryId,
  deliveryIdSchema,
  type EnvironmentId,
  environmentIdSchema,
  type JobId,
  jobIdSchema,
  type NodeId,
  type NotificationId,
  nodeIdSchema,
  notificationIdSchema,
  type RepositoryId,
  repositoryIdSchema,
  type TaskId,
  type TokenId,
  taskIdSchema,
  tokenIdSchema,
  type UploadId,
  uploadIdSchema,
  type VaultId,
  vaultIdSchema,
} from '@holdfast/protocol';

/** Makes the ids of new rows: 82 random bits each, so that several servers need not ask each other. */
export interface Ids {
  node(): NodeId;
  vault(): VaultId;
  environment(): EnvironmentId;
  repository(): RepositoryId;
  backup(): BackupId;
  job(): JobId;
  task(): TaskId;
  token(): TokenId;
  upload(): UploadId;
  notification(): NotificationId;
  delivery(): DeliveryId;
}

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';
const length = 16;
/** Bytes from here on are thrown away: they would make the first letters of the alphabet likelier. */
const fairLimit = 256 - (256 % alphabet.length);

/** @param random as many random bytes as it is asked for */
export function createIds(random: (size: number) => Uint8Array = randomBytes): Ids {
  const next = (prefix: string): string => {
    let text = '';
    while (text.length < length) {
      for (const byte of random(length)) {
        if (byte < fairLimit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
      }
    }
    return `${prefix}_${text}`;
  };
  return {
    node: () => nodeIdSchema.parse(next('nod')),
    vault: () => vaultIdSchema.parse(next('vlt')),
    environment: () => environmentIdSchema.parse(next('env')),
    repository: () => repositoryIdSchema.parse(next('rep')),
    backup: () => backupIdSchema.parse(next('bak')),
    job: () => jobIdSchema.parse(next('job')),
    task: () => taskIdSchema.parse(next('tsk')),
    token: () => tokenIdSchema.parse(next('tok')),
    upload: () => uploadIdSchema.parse(next('upl')),
    notification: () => notificationIdSchema.parse(next('ntf')),
    delivery: () => deliveryIdSchema.parse(next('dlv')),
  };
}
