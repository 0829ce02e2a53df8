import { parentPort, workerData } from 'node:worker_threads';
import { toHoldfastError } from '@holdfast/base';
import { checkMasterKey } from '../crypto/master-key.ts';
import type { MasterKeyBytes } from '../format/key-file.ts';
import type { OperationName, RequestOf, WorkerRequest } from './operations.ts';
import { type WorkerOperations, workerOperations } from './worker-operations.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly key: { readonly [Part in keyof MasterKeyBytes]: Uint8Array };
}

const { key } = workerData as WorkerStart;
const operations = workerOperations(
  checkMasterKey({
    encrypt: Buffer.from(key.encrypt),
    macK: Buffer.from(key.macK),
    macR: Buffer.from(key.macR),
  }),
);

function perform<Name extends OperationName>(name: Name, request: RequestOf<Name>): unknown {
  return (operations as { readonly [Key in Name]: WorkerOperations[Name] })[name](request as never);
}

parentPort?.on('message', ({ call, name, request }: WorkerRequest) => {
  try {
    parentPort?.postMessage({ call, answer: perform(name, request) });
  } catch (error) {
    parentPort?.postMessage({ call, error: toHoldfastError(error).toReport() });
  }
});
