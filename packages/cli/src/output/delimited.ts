/** A record of comma-separated values: RFC 4180 quoting. */
export function csvLine(fields: readonly string[]): string {
  return fields.map((field) => quoted(field, /[",\r\n]|^\s|\s$/)).join(',');
}

/** A record of tab-separated values, quoted as in CSV where a field holds a tab, a quote or a line break. */
export function tsvLine(fields: readonly string[]): string {
  return fields.map((field) => quoted(field, /["\t\r\n]/)).join('\t');
}

function quoted(field: string, needsQuotes: RegExp): string {
  return needsQuotes.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
