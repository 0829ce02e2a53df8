/** Longest event that is accepted, in characters. */
const eventLimit = 4 * 1024 * 1024;

/**
 * The `data` of each server-sent event of a stream, in order; comments and other fields are passed over.
 * Source: WHATWG HTML, section "Server-sent events".
 */
export async function* serverSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  let data: string[] = [];
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? '';
    if (rest.length > eventLimit) throw new RangeError('A server-sent event is too long.');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n');
        data = [];
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      }
    }
  }
}
