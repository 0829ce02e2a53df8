import type { EngineInfo } from './engine-objects.ts';
import { fieldsOf } from './fields.ts';

/** Reads the answer of `GET /info`. */
export function toEngineInfo(answer: unknown): EngineInfo {
  const info = fieldsOf(answer);
  return {
    id: info.text('ID'),
    hostName: info.text('Name'),
    rootDir: info.text('DockerRootDir'),
    engineVersion: info.text('ServerVersion'),
    kernelVersion: info.text('KernelVersion'),
    os: info.text('OSType'),
    architecture: info.text('Architecture'),
    cgroupVersion: info.text('CgroupVersion') === '2' ? 2 : 1,
    liveRestore: info.isTrue('LiveRestoreEnabled'),
  };
}
