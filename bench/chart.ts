/** A bar of a chart: its text is printed behind it. */
export interface Bar {
  label: string;
  value: number;
  text: string;
  /** One of ours. */
  ours: boolean;
}

const [ROW, LABELS, BARS, TEXTS, HEAD] = [26, 300, 380, 150, 44];

/** Both themes in one file: whoever shows it says which one the reader has. */
const STYLE = `text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.note { fill: #57606a }
.bar { fill: #8c959f } .ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note { fill: #9198a1 }
  .bar { fill: #656c76 } .ours { fill: #4493f8 }
}`;

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** A chart of horizontal bars, as an SVG without a background of its own. */
export function chartOf(title: string, note: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ label, value, text, ours }, i) => {
    const y = HEAD + 10 + i * ROW;
    const width = ((value / most) * BARS).toFixed(1);
    return [
      `<text x="${LABELS}" y="${y + 14}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="bar${ours ? ' ours' : ''}" x="${LABELS + 10}" y="${y}" width="${width}" height="18" rx="3"/>`,
      `<text class="note" x="${LABELS + 18 + Number(width)}" y="${y + 14}">${escaped(text)}</text>`,
    ].join('\n');
  });
  const [width, height] = [LABELS + BARS + TEXTS, HEAD + 20 + bars.length * ROW];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="10" y="20">${escaped(title)}</text>`,
    `<text class="note" x="10" y="40">${escaped(note)}</text>`,
    ...rows,
    '</svg>\n',
  ].join('\n');
}
