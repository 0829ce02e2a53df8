import { parentPort, workerData } from 'node:worker_threads';
import { HoldfastError, toHoldfastError } from '@holdfast/base';
import { checkMasterKey } from '../crypto/master-key.ts';
import type { OperationName, ThreadCall, ThreadMessage } from './operations.ts';
import { ThreadGate } from './thread-gate.ts';
import { type WorkerOperations, workerOperations } from './worker-operations.ts';

const gate = new ThreadGate(workerData as SharedArrayBuffer);
const sessions = new Map<number, WorkerOperations>();

function perform<Name extends OperationName>({ session, name, request }: ThreadCall<Name>): unknown {
  const operations = sessions.get(session);
  if (operations === undefined) throw new HoldfastError('internal', 'A thread was asked outside a session.');
  return (operations as { readonly [Key in Name]: WorkerOperations[Name] })[name](request as never);
}

parentPort?.on('message', (message: ThreadMessage) => {
  if (!gate.enter()) return;
  if ('key' in message) {
    const { encrypt, macK, macR } = message.key;
    const key = { encrypt: Buffer.from(encrypt), macK: Buffer.from(macK), macR: Buffer.from(macR) };
    sessions.set(message.session, workerOperations(checkMasterKey(key)));
  } else if ('isClosed' in message) sessions.delete(message.session);
  else answer(message);
  gate.leave();
});

gate.leave();

function answer(message: ThreadCall): void {
  const { call } = message;
  try {
    parentPort?.postMessage({ call, answer: perform(message) });
  } catch (error) {
    parentPort?.postMessage({ call, error: toHoldfastError(error).toReport() });
  }
}
