/** One value, as it stands in a text of metrics. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedMetrics {
  /** By metric: `gauge`, `counter`, `histogram`, `summary`. */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly ParsedSample[];
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const helpLine = new RegExp(`^# HELP (?<name>${metricName}) (?<help>.+)$`);
const typeLine = new RegExp(`^# TYPE (?<name>${metricName}) (?<type>gauge|counter|histogram|summary)$`);
const sampleLine = new RegExp(`^(?<name>${metricName})(?:\\{(?<labels>.*)\\})? (?<value>\\S+)$`);
const labelPair = /^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>(?:[^"\\\n]|\\["\\n])*)"(?:,(?!$)|$)/;
const number = /^(?:[-+]?(?:[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?|Inf)|Nan|NaN)$/;

/**
 * Reads Prometheus' text format as strictly as it can be written: each metric once, with its help and its type before its
 * values, no value twice, a newline at the end.
 *
 * @throws Error with the line that is none
 */
export function parseExposition(text: string): ParsedMetrics {
  if (!text.endsWith('\n')) throw new Error('The text does not end with a newline.');
  const types = new Map<string, string>();
  const samples: ParsedSample[] = [];
  const seen = new Set<string>();
  let helped: string | undefined;
  let current: string | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const help = helpLine.exec(line)?.groups;
    const type = typeLine.exec(line)?.groups;
    if (help !== undefined) {
      helped = help.name;
    } else if (type !== undefined) {
      const { name = '', type: kind = '' } = type;
      if (name !== helped || types.has(name)) throw new Error(`Out of its place: ${line}`);
      types.set(name, kind);
      current = name;
    } else {
      const sample = parseSample(line);
      const isOfHistogram = types.get(current ?? '') !== 'gauge';
      const base = isOfHistogram ? sample.name.replace(/_(?:bucket|sum|count)$/, '') : sample.name;
      if (base !== current && sample.name !== current) throw new Error(`Not of ${current}: ${line}`);
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`Told twice: ${line}`);
      seen.add(key);
      samples.push(sample);
    }
  }
  return { types, samples };
}

function parseSample(line: string): ParsedSample {
  const { name = '', labels = '', value = '' } = sampleLine.exec(line)?.groups ?? {};
  if (name === '' || !number.test(value)) throw new Error(`No line of the format: ${line}`);
  const parsed: Record<string, string> = {};
  let rest = labels;
  while (rest !== '') {
    const pair = labelPair.exec(rest);
    const { name: label = '', value: text = '' } = pair?.groups ?? {};
    if (pair === null || label in parsed) throw new Error(`No labels of the format: ${line}`);
    parsed[label] = text.replaceAll(/\\(["\\n])/g, (_, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    );
    rest = rest.slice(pair[0].length);
  }
  return { name, labels: parsed, value: Number(value) };
}
