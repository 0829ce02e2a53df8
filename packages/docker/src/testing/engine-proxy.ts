import { connect, createServer, type Socket } from 'node:net';

export interface EngineProxy {
  readonly path: string;
  /** Cuts every connection. */
  close(): Promise<void>;
}

/** Stands between a test and the engine, to be taken away. */
export async function openEngineProxy(host: string, path: string): Promise<EngineProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(host.slice('unix://'.length));
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
