import { placesIn } from '#src/platform/template';

const PLACES = ['lang', 'dir', 'title', 'style', 'header', 'main', 'footer'] as const;
/** The places of a layout, of pages and of mails. */
export type Place = (typeof PLACES)[number];
const isPlace = (name: string): boolean => (PLACES as readonly string[]).includes(name);

/** A layout may leave these out. */
const OPTIONAL: readonly string[] = ['header', 'footer'];

/** What the policy of pages keeps from working, or what has no business in a mail. */
const REFUSED: readonly (readonly [what: RegExp, sentence: string])[] = [
  [/<\s*\/?\s*(\w+:)?script/i, 'has a <script: no script runs here'],
  [/[\s"'/]on[a-z]+\s*=/i, 'has an event handler (on…=): no script runs here'],
  [/javascript\s*:/i, 'has a javascript: address: no script runs here'],
  [
    /<\s*(iframe|frame|object|embed|applet|form|base|portal)\b/i,
    'has an element that may not be there: iframe, frame, object, embed, form or base',
  ],
  [/http-equiv\s*=/i, 'has http-equiv: the server sends the headers'],
];
const REFUSED_IN_PAGES: typeof REFUSED = [
  [/<\s*link\b/i, 'has a <link>: pages load nothing. Put styles into style.css'],
  [
    /[\s"'/]style\s*=/i,
    'has a style attribute, which the policy of pages forbids. Put styles into style.css',
  ],
  [/<style(?!>\{\{style\}\}<\/style>)/i, 'has a <style> of its own. Put styles into style.css'],
];

/** What is wrong with a layout, in sentences that begin with its name. */
export function faultsInLayout(file: string, text: string): string[] {
  const isPage = file === 'page.html';
  const found = placesIn(text);
  const wants = (has: boolean, sentence: string) => (has ? [] : [sentence]);
  const refused = isPage ? [...REFUSED, ...REFUSED_IN_PAGES] : REFUSED;
  const needed = PLACES.filter(
    (place) => !OPTIONAL.includes(place) && (isPage || place !== 'style'),
  );
  return [
    ...wants(/^\s*<!doctype html>/i.test(text), 'must begin with <!doctype html>'),
    ...needed.filter((place) => !found.includes(place)).map((place) => `has no {{${place}}}`),
    ...found
      .filter((place) => !isPlace(place))
      .map(
        () =>
          `has a place that there is not. There are ${PLACES.map((p) => `{{${p}}}`).join(', ')}`,
      ),
    ...misplaced(text, found),
    ...refused.filter(([what]) => what.test(text)).map(([, sentence]) => sentence),
  ].map((sentence) => `${file} ${sentence}`);
}

/** A text is escaped for where it belongs, so it must not stand anywhere else. */
function misplaced(text: string, found: readonly string[]): string[] {
  const pieces = text.split(/\{\{(\w+)\}\}/);
  return found.flatMap((place) => {
    const isRight = pieces.every(
      (piece, at) => at % 2 === 0 || piece !== place || standsRight(pieces, at, place),
    );
    return isRight ? [] : [`has {{${place}}} in a wrong place: ${WHERE[place] ?? BETWEEN}`];
  });
}

const BETWEEN = 'it stands between tags';
const WHERE: Readonly<Record<string, string>> = {
  lang: 'write lang="{{lang}}"',
  dir: 'write dir="{{dir}}"',
  style: 'write <style>{{style}}</style>',
};

function standsRight(pieces: readonly string[], at: number, place: string): boolean {
  const [before, after] = [pieces[at - 1]!, pieces[at + 1]!];
  if (place === 'lang' || place === 'dir')
    return new RegExp(`\\s${place}="$`).test(before) && after.startsWith('"');
  if (place === 'style') return before.endsWith('<style>') && after.startsWith('</style>');
  const whole = pieces
    .slice(0, at)
    .filter((_, i) => i % 2 === 0)
    .join('');
  const isInTag = whole.lastIndexOf('<') > whole.lastIndexOf('>');
  const isHidden = ['<!--', '-->'].map((mark) => whole.lastIndexOf(mark));
  return !isInTag && isHidden[0]! <= isHidden[1]!;
}
