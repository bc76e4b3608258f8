import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { totalOf, type ChartData } from '#screens/console/operator/chart-data';
import { number, t } from '#screens/ui/text';

const HEIGHT = 272;
const LEFT = 56;
const BOTTOM = 48;
const TOP = 28;
/** Pixels that a label below a bar needs. */
const LABEL = 56;
/** Before it is laid out, a page may have no width. */
const LEAST = 240;

/** The width that an element has now, so that text in a picture keeps its size. */
function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      setWidth(Math.max(entry!.contentRect.width, LEAST)),
    );
    observer.observe(ref.current!);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

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

/** Stacked bars. The same numbers stand in a table below, for whoever does not see them or wants them exactly. */
export function Chart({ title, unit, data }: { title: string; unit: string; data: ChartData }) {
  const id = useId();
  const { ref, width } = useWidth();
  const total = totalOf(data);
  return (
    <figure class="card chart" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <p class="note">{t('console.stats.total', { total: number(total) })}</p>
      <div ref={ref}>
        {total === 0 ? (
          <p class="empty">{t('console.stats.nothing')}</p>
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
            <Bars id={id} width={width} title={title} unit={unit} data={data} />
          </>
        )}
      </div>
      {total > 0 && <Numbers title={title} unit={unit} data={data} />}
    </figure>
  );
}

interface Drawn {
  id: string;
  width: number;
  title: string;
  unit: string;
  data: ChartData;
}

function Bars({ id, width, title, unit, data: { series, points } }: Drawn) {
  const sums = points.map(({ values }) => values.reduce((all, each) => all + each, 0));
  const top = roundUp(Math.max(...sums));
  const step = (width - LEFT) / points.length;
  const every = Math.ceil(LABEL / step);
  const yOf = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const ticks = top === 1 ? [0, 1] : [0, top / 2, top].filter(Number.isInteger);
  return (
    <svg
      role="img"
      aria-label={t('console.stats.picture', { title, unit, highest: number(Math.max(...sums)) })}
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
    >
      <defs>
        {series.map((name, i) => (
          <Pattern key={name} id={`${id}-${i}`} index={i} />
        ))}
      </defs>
      {ticks.map((value) => (
        <g key={value}>
          <line class="grid" x1={LEFT} x2={width} y1={yOf(value)} y2={yOf(value)} />
          <text x={LEFT - 8} y={yOf(value)} text-anchor="end" dominant-baseline="middle">
            {number(value)}
          </text>
        </g>
      ))}
      <text x={LEFT - 8} y={12} text-anchor="end">
        {t('console.stats.number')}
      </text>
      <text x={LEFT + (width - LEFT) / 2} y={HEIGHT - 6} text-anchor="middle">
        {unit}
      </text>
      {points.map(({ name, label, values }, i) => (
        <g key={name}>
          <title>{`${name} · ${values.map((each, at) => `${series[at]}: ${each}`).join(' · ')}`}</title>
          <rect
            x={LEFT + i * step}
            y={TOP}
            width={step}
            height={HEIGHT - TOP - BOTTOM}
            fill="none"
          />
          {values.map((value, at) => {
            const below = values.slice(0, at).reduce((all, each) => all + each, 0);
            const y = yOf(below + value);
            return value === 0 ? null : (
              <rect
                key={at}
                class="value"
                x={LEFT + i * step + step * 0.12}
                width={step * 0.76}
                y={y}
                height={yOf(below) - y}
                fill={`url(#${id}-${at})`}
              />
            );
          })}
          {(points.length - 1 - i) % every === 0 && i * step > LABEL / 3 && (
            <text x={LEFT + (i + 1) * step} y={HEIGHT - BOTTOM + 18} text-anchor="end">
              {label}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

const Numbers = ({ title, unit, data: { series, points } }: Omit<Drawn, 'id' | 'width'>) => (
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
