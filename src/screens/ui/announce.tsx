import { useEffect, useState } from 'preact/hooks';

const SHOWN_MS = 8000;

/** The line that is on the page. */
const host: { say?: (text: string) => void } = {};

/** Says that something was done: to who sees the page, and to who hears it. */
export const announce = (text: string): void => host.say?.(text);

/** Where that appears. One of it is on every screen, also while it says nothing: only then is a change of it read out. */
export function Announcements() {
  const [said, setSaid] = useState({ text: '' });
  useEffect(() => {
    host.say = (text) => setSaid({ text });
  }, []);
  useEffect(() => {
    if (!said.text) return undefined;
    const timer = setTimeout(() => setSaid({ text: '' }), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <p class="said" role="status">
      {said.text}
    </p>
  );
}
