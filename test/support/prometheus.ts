import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '#test/support/eventually';
import { emptyFolder } from '#test/support/process';
import { freePort } from '#test/support/mysql';
import { whenTestDone } from '#test/support/when-done';

export const prometheusIsHere = spawnSync('which', ['prometheus', 'promtool']).status === 0;
if (!prometheusIsHere) {
  const line =
    'Prometheus is not on this machine, so it does not read the metrics. Install prometheus.';
  if (process.env['CI']) throw new Error(line);
  console.warn(`\n!!! ${line}\n`);
}

/** Runs promtool, and answers what it says. */
export function promtool(args: string[], input = ''): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { code: status, said: `${stdout}${stderr}` };
}

/** Names of all metrics in this text, with the suffixes of histograms. */
export const namesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/^(\w+)(?:\{.*\})? \S+$/gm)].map(([, name]) => name!)),
];

/** A Prometheus that reads `target` (`127.0.0.1:9464`) twice a second. It ends with the test. */
export async function startPrometheus(target: string) {
  const folder = emptyFolder();
  const port = await freePort();
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs:
  - job_name: sallyport
    static_configs: [{ targets: ['${target}'] }]
`,
  );
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const gone = new Promise((resolve) => void child.once('exit', resolve));
  process.once('exit', () => child.kill('SIGKILL'));
  whenTestDone(() => child.kill('SIGKILL') && gone);
  const api = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return (await answer.json()) as { status: string; data: { result: Series[] } & Targets };
  };
  /** The values of an expression of PromQL now, each with its labels. */
  const query = async (expression: string) => {
    const { status, data } = await api(`query?query=${encodeURIComponent(expression)}`);
    expect(status, expression).toBe('success');
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  await eventually(async () => {
    const [read] = (await api('targets')).data.activeTargets;
    expect(read).toMatchObject({ health: 'up', lastError: '' });
  }, 200);
  return { query };
}

interface Series {
  metric: Record<string, string>;
  value: [number, string];
}
interface Targets {
  activeTargets: { health: string; lastError: string }[];
}
