import type Dockerode from 'dockerode';
import type { EngineCall } from './engine-call.ts';

/** What every group of calls is built from. */
export interface EngineLink {
  readonly host: string;
  readonly dockerode: Dockerode;
  readonly call: EngineCall;
}
