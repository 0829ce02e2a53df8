/** Of one connection only, whatever they say (RFC 9110, 7.6.1). */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names and values in turn, as they came: without those that are of one connection only, or `others`. */
export function endToEndHeaders(
  headers: readonly string[],
  others: ReadonlySet<string> = new Set(),
): string[] {
  const named = namedByConnection(headers);
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    const lower = name.toLowerCase();
    if (!ofConnection.has(lower) && !named.has(lower) && !others.has(lower)) kept.push(name, value);
  }
  return kept;
}

/** What `Connection` names is of this connection too. */
function namedByConnection(headers: readonly string[]): ReadonlySet<string> {
  const named = new Set<string>();
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== 'connection') continue;
    for (const token of (headers[at + 1] ?? '').split(',')) named.add(token.trim().toLowerCase());
  }
  return named;
}
