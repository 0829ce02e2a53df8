import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { smallHeap } from '@holdfast/docker';
import type { DataRequest } from '@holdfast/protocol';
import { ownVariables } from './own-variables.ts';

/** Answers requests for contents of repositories, beside the server: neither they nor passwords pass through its own loop. */
export interface DataProcess extends AsyncDisposable {
  /** The connection is the other process's from now on: it answers the request, and ends the connection. */
  handOver(request: DataRequest, connection: Socket): void;
}

/** The process starts with the first request, again if it died, and ends after the server once all is answered. */
export function createDataProcess(main: string): DataProcess {
  let child: ChildProcess | undefined;

  function start(): ChildProcess {
    const started = fork(main, {
      cwd: '/',
      execArgv: [...smallHeap, '--disable-warning=ExperimentalWarning'],
      env: ownVariables(),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const forget = (): void => {
      if (child === started) child = undefined;
    };
    started.once('exit', forget);
    // What was to be sent to one that is gone: its connections go with it.
    started.on('error', forget);
    // It must not keep a server from ending.
    started.unref();
    started.channel?.unref();
    return started;
  }

  return {
    handOver: (request, connection) => {
      child ??= start();
      child.send(request, connection, (error) => {
        if (error !== null) connection.destroy();
      });
    },
    [Symbol.asyncDispose]: async () => {
      if (child?.connected) child.disconnect();
    },
  };
}
