import { z } from 'zod';

const id = <Brand extends string>(prefix: string, brand: Brand) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-z]{16}$`))
    .brand(brand);

export const nodeIdSchema = id('nod', 'NodeId');
export const environmentIdSchema = id('env', 'EnvironmentId');
export const vaultIdSchema = id('vlt', 'VaultId');
export const repositoryIdSchema = id('rep', 'RepositoryId');
export const backupIdSchema = id('bak', 'BackupId');
export const jobIdSchema = id('job', 'JobId');
export const taskIdSchema = id('tsk', 'TaskId');
export const tokenIdSchema = id('tok', 'TokenId');
export const uploadIdSchema = id('upl', 'UploadId');
export const notificationIdSchema = id('ntf', 'NotificationId');
export const deliveryIdSchema = id('dlv', 'DeliveryId');

export type NodeId = z.infer<typeof nodeIdSchema>;
export type EnvironmentId = z.infer<typeof environmentIdSchema>;
export type VaultId = z.infer<typeof vaultIdSchema>;
export type RepositoryId = z.infer<typeof repositoryIdSchema>;
export type BackupId = z.infer<typeof backupIdSchema>;
export type JobId = z.infer<typeof jobIdSchema>;
export type TaskId = z.infer<typeof taskIdSchema>;
export type TokenId = z.infer<typeof tokenIdSchema>;
export type UploadId = z.infer<typeof uploadIdSchema>;
export type NotificationId = z.infer<typeof notificationIdSchema>;
export type DeliveryId = z.infer<typeof deliveryIdSchema>;

/** A restic object id: SHA-256 in lower-case hexadecimal. */
export const objectIdSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** Milliseconds since the Unix epoch. */
export const timeMsSchema = z.int().nonnegative();
