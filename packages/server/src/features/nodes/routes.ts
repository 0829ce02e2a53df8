import type { HandlersOf } from '../../http/handler.ts';
import type { NodeService } from './service.ts';

export function nodeHandlers(service: NodeService): HandlersOf<'node.list' | 'node.add' | 'node.remove'> {
  return {
    'node.list': async ({ signal }) => ({ nodes: [...(await service.list({ signal }))] }),
    'node.add': async ({ body: { name, dockerHost }, signal }) =>
      await service.add(name, dockerHost, { signal }),
    'node.remove': async ({ params }) => {
      await service.remove(params.node);
      return {};
    },
  };
}
