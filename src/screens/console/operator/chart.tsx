import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { isolated, totalOf, type ChartData } from '#screens/console/operator/chart-data';
import { number, t } from '#screens/ui/text';

/** The room of an element now, and the size of its text, which a picture keeps. */
function useRoom() {
  const ref = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState({ width: 640, em: 16 });
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      setRoom({
        width: Math.max(entry!.contentRect.width, 240), // a page may have none before it is laid out
        em: Number.parseFloat(getComputedStyle(ref.current!).fontSize),
      }),
    );
    observer.observe(ref.current!);
    return () => observer.disconnect();
  }, []);
  return { ref, ...room };
}

/** Pixels of the picture, its margins, and what a label below a bar needs, by the size of the text. */
const sizesOf = (em: number, points: ChartData['points']) => ({
  height: 17 * em,
  left: 3.5 * em,
  bottom: 3 * em,
  above: 1.75 * em,
  needed: (0.5 + 0.45 * Math.max(7, ...points.map(({ label }) => label.length))) * em,
});

/** The next of 1, 2, 5, 10, 20, 50 …: the end of an axis is a number that is easily read. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= value)!;
}

/** A series is known by its pattern, too: not everybody tells its colour. */
const Pattern = ({ id, index }: { id: string; index: number }) => (
  <pattern
    id={id}
    class={`series-${index}`}
    width="8"
    height="8"
    patternUnits="userSpaceOnUse"
    patternTransform={index === 2 ? 'rotate(45)' : undefined}
  >
    <rect class="fill" width="8" height="8" />
    {index === 1 && <circle class="ink" cx="4" cy="4" r="2" />}
    {index === 2 && <rect class="ink" width="3" height="8" />}
    {index === 3 && <rect class="ink" width="8" height="3" />}
  </pattern>
);

type Drawn = { id: string; width: number; em: number };
interface Charted {
  title: string;
  unit: string;
  data: ChartData;
}

/** Stacked bars. The same numbers stand in a table below, for whoever does not see them or wants them exactly. */
export function Chart({ title, unit, none, data }: Charted & { none: string }) {
  const id = useId();
  const { ref, width, em } = useRoom();
  const total = totalOf(data);
  return (
    <figure class="card chart" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <p class="note">{t('console.stats.total', { total: number(total) })}</p>
      <div ref={ref}>
        {total === 0 ? (
          <p class="empty">{none}</p>
        ) : (
          <>
            <ul class="legend" aria-hidden="true">
              {data.series.map((name, i) => (
                <li key={name}>
                  <svg width="16" height="16">
                    <rect width="16" height="16" rx="3" fill={`url(#${id}-${i})`} />
                  </svg>
                  {name}
                </li>
              ))}
            </ul>
            <Bars id={id} width={width} em={em} title={title} unit={unit} data={data} />
          </>
        )}
      </div>
      {total > 0 && <Numbers title={title} unit={unit} data={data} />}
    </figure>
  );
}

function Bars({ id, width, em, title, unit, data: { series, points } }: Charted & Drawn) {
  const { height, left, bottom, above, needed } = sizesOf(em, points);
  const sums = points.map(({ values }) => values.reduce((all, each) => all + each, 0));
  const top = roundUp(Math.max(...sums));
  const step = (width - left) / points.length;
  const every = Math.ceil(needed / step);
  const yOf = (value: number) => above + (1 - value / top) * (height - above - bottom);
  const ticks = top === 1 ? [0, 1] : [0, top / 2, top].filter(Number.isInteger);
  return (
    <svg
      role="img"
      aria-label={t('console.stats.picture', { title, unit, highest: number(Math.max(...sums)) })}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
    >
      <defs>
        {series.map((name, i) => (
          <Pattern key={name} id={`${id}-${i}`} index={i} />
        ))}
      </defs>
      {ticks.map((value) => (
        <g key={value}>
          <line class="grid" x1={left} x2={width} y1={yOf(value)} y2={yOf(value)} />
          <text x={left - em / 2} y={yOf(value)} text-anchor="end" dominant-baseline="middle">
            {number(value)}
          </text>
        </g>
      ))}
      <text x={0} y={0.75 * em}>
        {t('console.stats.number')}
      </text>
      <text x={(width + left) / 2} y={height - 0.375 * em} text-anchor="middle">
        {unit}
      </text>
      {points.map(({ name, label, values }, i) => (
        <g key={name}>
          <title>{`${name} · ${values.map((each, at) => `${series[at]}: ${each}`).join(' · ')}`}</title>
          <rect
            x={left + i * step}
            y={above}
            width={step}
            height={height - above - bottom}
            fill="none"
          />
          {values.map((value, at) => {
            const below = values.slice(0, at).reduce((all, each) => all + each, 0);
            const y = yOf(below + value);
            return value === 0 ? null : (
              <rect
                key={at}
                class="value"
                x={left + i * step + step * 0.12}
                width={step * 0.76}
                y={y}
                height={yOf(below) - y}
                fill={`url(#${id}-${at})`}
              />
            );
          })}
          {(points.length - 1 - i) % every === 0 && (i + 1) * step + left > needed && (
            <text x={left + (i + 1) * step} y={height - bottom + 1.125 * em} text-anchor="end">
              {isolated(label)}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

const Numbers = ({ title, unit, data: { series, points } }: Charted) => (
  <details>
    <summary>{t('console.stats.asTable')}</summary>
    <div class="scroll">
      <table class="numbers">
        <caption class="hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{unit}</th>
            {series.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, i) => (
                <td key={i} data-title={series[i]}>
                  {number(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </details>
);
