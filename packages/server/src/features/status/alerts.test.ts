import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseExposition } from '../../testing/exposition-format.ts';
import { metricsText } from './metrics-text.ts';

const folder = new URL('../../../../../examples/prometheus/', import.meta.url);

const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Holdfast\w+$/),
          expr: z.string(),
          for: z.string().regex(/^[1-9][0-9]*[smh]$/),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({ summary: z.string(), command: z.string().optional() }),
        }),
      ),
    }),
  ),
});

async function knownMetrics(): Promise<ReadonlySet<string>> {
  const facts = {
    ...{ nowMs: 0, environments: [], backupCounts: [], lastBackups: [], jobCounts: [] },
    ...{ oldestQueuedAtMs: null, deliveries: [], vaults: [] },
  };
  return new Set(parseExposition(await metricsText(facts, '1')).types.keys());
}

test('every alert is of metrics that there are, and each name only once', async () => {
  const { groups } = rulesSchema.parse(parse(await readFile(new URL('alerts.yaml', folder), 'utf8')));
  const rules = groups.flatMap((group) => group.rules);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  expect(rules.length).toBeGreaterThanOrEqual(6);
  const known = await knownMetrics();
  for (const { alert, expr } of rules) {
    const used = expr.match(/\bholdfast_\w+/g) ?? [];
    if (alert !== 'HoldfastDown') expect(used.length, alert).toBeGreaterThan(0);
    for (const name of used) expect(known, alert).toContain(name);
  }
});

test('the page beside them has every metric, and no other', async () => {
  const page = await readFile(new URL('README.md', folder), 'utf8');
  const told = new Set<string>();
  for (const [, name = ''] of page.matchAll(/`((?:holdfast_|…_)\w+)`/g)) {
    told.add(name.replace('…_', 'holdfast_backup_'));
  }
  expect([...told].sort()).toEqual([...(await knownMetrics())].sort());
});

test('what is to be added to the settings of Prometheus is YAML, and names the job that the alerts do', async () => {
  const settings: unknown = parse(await readFile(new URL('prometheus.yaml', folder), 'utf8'));
  expect(settings).toMatchObject({
    rule_files: ['alerts.yaml'],
    scrape_configs: [{ job_name: 'holdfast', authorization: { credentials_file: expect.any(String) } }],
  });
});
