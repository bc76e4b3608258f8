import type { PageContext } from '#src/platform/http/page';
import type { Onward } from '#src/platform/mail/template';
import type { Language } from '#src/platform/messages/language';
import { message, type Text } from '#src/platform/messages/message';
import { escapeHtml } from '#src/platform/text';

/** The language that was asked for, and the app that waits. */
export interface LinkFlow {
  /** What links and forms of the page go on with. */
  query: string;
  /** The address of the app, if nothing else is known of its sign-in. */
  backTo?: string;
  /** What links in mails go on with. */
  onward: Onward;
}

/** A page that leads on. */
interface Linking {
  ctx: PageContext;
  page: { usedBefore?: Text; next?: { label: Text; path: string }; endsInSignIn?: true };
  language: Language;
  flow: LinkFlow;
}

/** Where one goes on: to the app, which begins a sign-in of its own, or to the page that does. */
export function onwardLink(shown: Linking): string {
  const { language, flow } = shown;
  if (flow.backTo === undefined) return signInLink(shown);
  const { protocol, host } = new URL(flow.backTo);
  const place = /^https?:$/.test(protocol) ? host : language.text('pages', 'the-app');
  const label = language.text('pages', 'continue-to', { place });
  return `<ul><li><a href="${escapeHtml(flow.backTo)}">${escapeHtml(label)}</a></li></ul>`;
}

const signInLink = ({ ctx: { settings }, page, language, flow: { query } }: Linking): string =>
  page.endsInSignIn && settings.hostedPages.includes('sign-in')
    ? `<p class="links"><a href="${escapeHtml(`${settings.basePath}/sign-in${query}`)}">${escapeHtml(language.text('sign-in', 'to-sign-in'))}</a></p>`
    : '';

export const nextOf = ({ ctx, page: { next }, language, flow: { query } }: Linking): string =>
  next
    ? `<p><a href="${ctx.settings.basePath}${next.path}${query}">${escapeHtml(language.write(next.label))}</a></p>`
    : '';

export function usedBefore(shown: Linking): string {
  const { ctx, page, language, flow } = shown;
  const html = (text: Text) => escapeHtml(language.write(text));
  if (page.usedBefore !== undefined) return `<p>${html(page.usedBefore)}</p>${nextOf(shown)}`;
  const link = `${ctx.settings.basePath}/forgot-password${flow.query}`;
  return [
    `<p>${html(message('pages', 'used-before'))}</p>`,
    `<p><a href="${escapeHtml(link)}">${html(message('pages', 'ask-for-password'))}</a></p>`,
  ].join('');
}
