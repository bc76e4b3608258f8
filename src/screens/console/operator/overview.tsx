import { useState } from 'preact/hooks';
import type { Stats } from '#src/client/index';
import { ask } from '#screens/console/access';
import { Chart } from '#screens/console/operator/chart';
import {
  limitsOf,
  OUTCOME_NAMES,
  RANGES,
  signInsOf,
  slotsOf,
  strategiesOf,
  type Range,
} from '#screens/console/operator/chart-data';
import { whole } from '#screens/console/operator/parts';
import { strategyName } from '#screens/console/strategy';
import { Alert, Card, Empty } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table } from '#screens/ui/table';
import { number, t } from '#screens/ui/text';

/** What the server holds and what happened lately. */
export function Overview() {
  const [range, setRange] = useState<Range>('24h');
  const { body, problem } = useLoad(() =>
    ask('GET', '/admin/stats', null, { query: { days: 30, hours: 48 } }),
  );
  return (
    <>
      <Title>{t('console.stats.title')}</Title>
      <Alert problem={problem} />
      {body ? <Figures stats={body} /> : !problem && <p class="note">{t('ui.loading')}</p>}
      {body && (
        <>
          <div class="ranges" role="group" aria-label={t('console.stats.range')}>
            {(Object.keys(RANGES) as Range[]).map((each) => (
              <button
                type="button"
                class="button plain"
                key={each}
                aria-pressed={each === range}
                onClick={() => setRange(each)}
              >
                {t(RANGES[each])}
              </button>
            ))}
          </div>
          <Charts stats={body} range={range} />
        </>
      )}
    </>
  );
}

const counted = ({ value, isExact }: Stats['users']): string =>
  isExact ? number(value) : t('console.stats.moreThan', { value: number(value) });

const Figures = ({ stats: { users, sessions, mails } }: { stats: Stats }) => (
  <dl class="figures">
    {(
      [
        ['console.stats.users', users],
        ['console.stats.sessions', sessions],
        ['console.stats.mails', mails],
      ] as const
    ).map(([key, count]) => (
      <div class="card" key={key}>
        <dt>{t(key)}</dt>
        <dd>{counted(count)}</dd>
      </div>
    ))}
  </dl>
);

function Charts({ stats, range }: { stats: Stats; range: Range }) {
  const slots = slotsOf(stats, range);
  const unit = t(range === '30d' ? 'console.stats.days' : 'console.stats.hours');
  const columns = (['succeeded', 'challenged', 'refused'] as const).map((outcome) => ({
    title: t(OUTCOME_NAMES[outcome]),
    cell: (row: Record<typeof outcome, number>) => number(row[outcome]),
  }));
  return (
    <>
      {!stats.isComplete && <p class="alert">{t('console.stats.incomplete')}</p>}
      <Chart
        title={t('console.stats.signIns')}
        unit={unit}
        none={t('console.stats.nothing')}
        data={signInsOf(slots)}
      />
      <Chart
        title={t('console.stats.limits')}
        unit={unit}
        none={t('console.stats.noLimits')}
        data={limitsOf(slots)}
      />
      <Card title={t('console.stats.strategies')}>
        <Table
          caption={t('console.stats.strategies')}
          pages={whole(strategiesOf(slots))}
          columns={[
            { title: t('console.stats.strategy'), cell: ({ id }) => strategyName(id) },
            ...columns,
          ]}
          empty={<Empty title={t('console.stats.nothing')} />}
        />
      </Card>
    </>
  );
}
