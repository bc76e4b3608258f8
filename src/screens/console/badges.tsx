import type { ComponentChildren } from 'preact';

export const Badges = ({ children }: { children: ComponentChildren }) => (
  <span class="badges">{children}</span>
);

/** A word about a thing. The colour only repeats it. */
export const Badge = ({
  kind = '',
  children,
}: {
  kind?: 'good' | 'bad' | '';
  children: ComponentChildren;
}) => <span class={`badge ${kind}`}>{children}</span>;
