import type { EventOptions, EventStream } from './docker-engine.ts';
import { translateEngineError } from './engine-error.ts';
import type { EngineLink } from './engine-link.ts';
import type { EngineEvent } from './engine-objects.ts';
import { openEngineStream, readEngineStream } from './engine-stream.ts';
import { fieldsOf } from './fields.ts';
import { jsonObjects } from './json-stream.ts';

const timeoutMs = 15_000;

export async function openEventStream(
  link: EngineLink,
  { types = [], actions = [], signal }: EventOptions,
): Promise<EventStream> {
  const query = { filters: JSON.stringify({ type: types, event: actions }) };
  const options = { action: 'tell its events', query, timeoutMs, signal };
  const stream = await openEngineStream(link, '/events', options);
  return {
    async *[Symbol.asyncIterator]() {
      for await (const value of jsonObjects(readEngineStream(link, stream, options))) {
        yield toEvent(value);
      }
      // The engine never ends this answer but when it ends itself.
      throw translateEngineError(new Error('the event stream ended'), {
        host: link.host,
        action: options.action,
      });
    },
    async [Symbol.asyncDispose]() {
      stream.destroy();
    },
  };
}

function toEvent(value: unknown): EngineEvent {
  const event = fieldsOf(value);
  const actor = event.object('Actor');
  const attributes = actor.object('Attributes');
  return {
    type: event.text('Type'),
    action: event.text('Action'),
    id: actor.text('ID'),
    attributes: Object.fromEntries(attributes.names().map((name) => [name, attributes.text(name)])),
    timeMs: Math.floor(event.number('timeNano') / 1e6),
  };
}
