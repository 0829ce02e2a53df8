import type { Abortable } from '@holdfast/base';
import type { EngineLink } from './engine-link.ts';
import type { FilesystemChange } from './engine-objects.ts';
import { openEngineStream, readEngineStream } from './engine-stream.ts';
import { fieldsOf } from './fields.ts';
import { jsonObjects } from './json-stream.ts';

/** The engine walks the whole writable layer before it answers. */
const timeoutMs = 120_000;

const kinds: readonly FilesystemChange['kind'][] = ['modified', 'added', 'deleted'];

export async function* streamChanges(
  link: EngineLink,
  container: string,
  { signal }: Abortable,
): AsyncGenerator<FilesystemChange> {
  const options = {
    action: `list what container ${container} changed`,
    subject: { kind: 'container', name: container },
    timeoutMs,
    idleTimeoutMs: timeoutMs,
    signal,
  } as const;
  const stream = await openEngineStream(
    link,
    `/containers/${encodeURIComponent(container)}/changes`,
    options,
  );
  for await (const value of jsonObjects(readEngineStream(link, stream, options))) {
    const change = toChange(value);
    if (change !== undefined) yield change;
  }
}

function toChange(value: unknown): FilesystemChange | undefined {
  const change = fieldsOf(value);
  const kind = kinds[change.number('Kind')];
  return kind === undefined ? undefined : { path: change.text('Path'), kind };
}
