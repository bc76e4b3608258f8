import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { root } from '#test/support/process';
import { namesIn, prometheusIsHere, promtool, startPrometheus } from '#test/support/prometheus';

const { ask, logIn, register, metricsUrl } = await startApp({ METRICS_PORT: '0', LIMITS: 'on' });
const scrape = async () => (await fetch(metricsUrl!)).text();
const read = (file: string) => readFileSync(join(root, 'docs', file), 'utf8');

const ada = await register();
await ask('GET', '/me', { token: ada.token });
await ask('GET', '/me');
await logIn(ada.username);
await logIn(ada.username, 'wrong password');
for (const refreshToken of [ada.tokens.refreshToken, 'x'.repeat(43)])
  await ask('POST', '/auth/refresh', { body: { refreshToken } });

/** What only a database server has. */
const OF_A_POOL = /^sallyport_database_/;
/** What has no series before it happens for the first time. */
const RARE = ['sallyport_limits_reached_total'];

describe.runIf(prometheusIsHere)('a real Prometheus', () => {
  it('finds nothing to complain of in the text', async () => {
    expect(promtool(['check', 'metrics'], await scrape())).toEqual({ code: 0, said: '' });
  });

  it('reads it, and answers what the server did', async () => {
    const { query } = await startPrometheus(new URL(metricsUrl!).host);
    const valueOf = async (expression: string) => (await query(expression))[0]?.value;
    await eventually(async () => {
      expect(await valueOf('sallyport_http_requests_total{route="/me",status="200"}')).toBe(1);
      expect(await valueOf('sallyport_http_requests_total{route="/me",status="401"}')).toBe(1);
      expect(await valueOf('sallyport_sign_ins_total{strategy="local",outcome="refused"}')).toBe(1);
      expect(await valueOf('sallyport_sign_ins_total{strategy="local",outcome="succeeded"}')).toBe(
        2,
      );
      expect(await valueOf('sallyport_refreshes_total{outcome="succeeded"}')).toBe(1);
      expect(await valueOf('sallyport_refreshes_total{outcome="unknown"}')).toBe(1);
    }, 200);
    const [build] = await query('sallyport_build_info');
    expect(build!.labels['version']).toMatch(/^\d+\.\d+\.\d+/);
    const quantile =
      'histogram_quantile(0.5, sum by (le) (sallyport_http_request_duration_seconds_bucket))';
    expect(await valueOf(quantile)).toBeGreaterThan(0);
  });

  it('accepts the alert rules', () => {
    const { code, said } = promtool(['check', 'rules', join(root, 'docs/prometheus-alerts.yaml')]);
    expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it('understands every expression of alerts and dashboard', async () => {
    const { query } = await startPrometheus(new URL(metricsUrl!).host);
    const expressions = [...alertExpressions(), ...dashboardExpressions()];
    expect(expressions.length).toBeGreaterThan(20);
    for (const expression of expressions) await query(expression);
  });
});

const alertExpressions = () => {
  const yaml = read('prometheus-alerts.yaml');
  const oneLine = [...yaml.matchAll(/^ +expr: (?!\|)(.+)$/gm)].map(([, expression]) => expression!);
  const long = [...yaml.matchAll(/^ +expr: \|\n((?: {10,}.+\n)+)/gm)].map(([, text]) => text!);
  return [...oneLine, ...long];
};
interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
  annotations: { list: { expr: string }[] };
}
const dashboard = JSON.parse(read('grafana-dashboard.json')) as Dashboard;
/** As Grafana sends them. */
const dashboardExpressions = () =>
  [...dashboard.panels.flatMap(({ targets }) => targets), ...dashboard.annotations.list].map(
    ({ expr }) => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'),
  );
const metricsOf = (text: string) => [...new Set(text.match(/\b(?:sallyport|process|nodejs)_\w+/g))];

it.each<[string, () => string[]]>([
  ['the alert rules', () => metricsOf(alertExpressions().join('\n'))],
  ['the dashboard', () => metricsOf(dashboardExpressions().join('\n'))],
  ['docs/metrics.md', () => metricsOf(read('metrics.md')).map((name) => name)],
])('every metric in %s is in a real scrape', async (_what, named) => {
  const text = await scrape();
  const declared = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!);
  const scraped = [...namesIn(text), ...declared, ...RARE];
  expect(named().length).toBeGreaterThan(8);
  for (const name of named()) {
    if (engine === 'sqlite' && OF_A_POOL.test(name)) continue;
    expect(scraped).toContain(name);
  }
});

it('docs/metrics.md and the dashboard name every metric', async () => {
  const declared = [...(await scrape()).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!);
  const shown = metricsOf(dashboardExpressions().join('\n')).map((name) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
  for (const name of declared) {
    expect(metricsOf(read('metrics.md'))).toContain(name);
    if (name !== 'sallyport_build_info') expect(shown).toContain(name);
  }
});
