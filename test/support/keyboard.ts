import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually } from '#test/support/eventually';

/** What has the focus, and what is wrong with it. */
interface Focused {
  name: string;
  tag: string;
  /** Why somebody who looks at the page would not find it. */
  faults: string[];
}

/** Runs in the page. */
const FOCUSED = `(() => {
  const found = document.activeElement;
  const tag = found.tagName.toLowerCase();
  const label = found.getAttribute('aria-label') ?? found.labels?.[0]?.innerText ?? found.innerText ?? '';
  const style = getComputedStyle(found);
  const box = found.getBoundingClientRect();
  const faults = [];
  if (tag === 'body') faults.push('nothing has the focus');
  else {
    const isOutlined = ({ outlineStyle, outlineWidth }) => outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
    if (!isOutlined(style)) faults.push('it looks as if it had no focus');
    for (const each of document.querySelectorAll('body *'))
      if (each !== found && isOutlined(getComputedStyle(each))) faults.push('so does ' + each.outerHTML.slice(0, 80));
    if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth || box.width * box.height === 0)
      faults.push('it is outside of the window');
    const ring = Math.max(parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth), 0);
    for (let around = found.parentElement; around && around !== document.body; around = around.parentElement) {
      if (getComputedStyle(around).overflowX === 'visible') continue;
      const { left, right, top, bottom } = around.getBoundingClientRect();
      if (box.left - ring < left || box.right + ring > right || box.top - ring < top || box.bottom + ring > bottom)
        faults.push('its outline is cut off');
    }
  }
  return { tag, name: label.trim(), faults };
})()`;

/** The most stops on a page. */
const MANY = 120;

const fits = (expected: string | RegExp, { name }: Focused): boolean =>
  expected instanceof RegExp ? expected.test(name) : expected === name;

/** A person who has a keyboard and no mouse. At each stop the focus must be somewhere, and be seen. */
export function keyboard(page: Page) {
  const focused = () => page.evaluate<Focused>(FOCUSED);

  /** What has the focus now, or soon. */
  const isAt = (name: string | RegExp, tag?: string): Promise<void> =>
    eventually(async () => {
      const at = await focused();
      expect(at).toMatchObject({ faults: [], ...(tag && { tag }) });
      expect(fits(name, at), `${at.tag} ${at.name}`).toBe(true);
    });

  /** The next stop. Undefined: of the browser itself, to which a round through the page leads once. */
  async function next(key = 'Tab'): Promise<Focused | undefined> {
    await page.keyboard.press(key);
    const at = await focused();
    if (at.tag === 'body') return undefined;
    expect(at.faults, `${at.tag} ${at.name}`).toEqual([]);
    return at;
  }

  /** Goes on with Tab to what has a name. */
  async function to(name: string | RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    const passed: (string | undefined)[] = [];
    while (passed.filter((each) => each === undefined).length < 2 && passed.length < MANY) {
      const at = await next(key);
      if (at && fits(name, at)) return;
      passed.push(at?.name);
    }
    throw new Error(`Tab does not lead to ${name}, but to ${passed.join(', ')}`);
  }

  const press = (key: string) => page.keyboard.press(key);
  return {
    press,
    to,
    isAt,
    focused,
    type: (text: string) => page.keyboard.type(text),
    /** The names of all stops until one comes again, by the alphabet. */
    async round(): Promise<string[]> {
      const names = new Set<string>();
      for (let at = await next(); !at || !names.has(at.name); at = await next())
        if (at) names.add(at.name);
      return [...names].sort();
    },
    /** Goes to a field, and types. */
    async fill(label: string, text: string) {
      await to(label);
      await page.keyboard.type(text);
    },
    /** Goes to a button or a link, and presses it. */
    async use(name: string | RegExp, key: 'Enter' | 'Space' = 'Enter') {
      await to(name);
      await press(key);
    },
  };
}
