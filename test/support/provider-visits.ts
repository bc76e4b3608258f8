import { expect } from 'vitest';
import { type browser, type Landing } from '#test/support/browser';
import { signInAt } from '#test/support/open-id-provider';
import type { SamlAnswer, startSamlProvider } from '#test/support/saml-provider';

type Tab = ReturnType<typeof browser>;
/** How a browser is sent back: an address, or a form to post there. */
export interface Callback {
  address: string;
  form?: Record<string, string>;
}
/** Goes from where the server sent the browser to where the provider sends it back. */
type Visit = (page: Landing, stop: string, tab: Tab) => Promise<Callback>;
export interface ProviderVisit {
  visit: Visit;
  /** Ways back that sign nobody in. */
  refusals: Record<string, Visit>;
}

const changed = ({ address, ...back }: Callback, name: string, value: string): Callback => {
  const url = new URL(address);
  if (url.searchParams.has(name)) url.searchParams.set(name, value);
  return { address: url.href, ...back };
};

/** The same way back with a state of its own. */
export function forged(back: Callback): Callback {
  const form = back.form && { ...back.form, RelayState: 'forged' };
  const other = {
    ...changed(changed(back, 'state', 'forged'), 'oauth_token', 'forged'),
    ...(form && { form }),
  };
  expect(other).not.toEqual(back);
  return other;
}

/** At an OpenID provider, as this person. */
export function openIdVisit(who: string): ProviderVisit {
  const visit: Visit = async (page, stop, tab) => ({
    address: (await signInAt(page, who, stop, tab)).url.href,
  });
  return {
    visit,
    refusals: {
      'cancelled at the provider': async (page, stop, tab) => {
        const cancel = /href="([^"]+\/abort)"/.exec(page.text)![1]!;
        const address = (await tab.open(new URL(cancel, page.url).href, stop)).url.href;
        expect(address).toContain('error=access_denied');
        return { address };
      },
      'an invented code': async (...where) => changed(await visit(...where), 'code', 'invented'),
    },
  };
}

/** At a provider of OAuth 1, which knows who is there. */
export const oauth1Visit: ProviderVisit = {
  visit: async (page) => ({ address: page.url.href }),
  refusals: {
    'an invented verifier': async (page) =>
      changed({ address: page.url.href }, 'oauth_verifier', 'invented'),
  },
};

/** At a SAML provider, which knows who is there. */
export function samlVisit({ state }: Awaited<ReturnType<typeof startSamlProvider>>): ProviderVisit {
  const answered =
    (answer: SamlAnswer): Visit =>
    async (page, _stop, tab) => {
      state.answer = answer;
      const { text } = await tab.open(page.url.href, 'no app');
      const fields = [...text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name!,
        value!,
      ]);
      return {
        address: /action="([^"]+)"/.exec(text)![1]!,
        form: Object.fromEntries(fields) as Record<string, string>,
      };
    };
  return {
    visit: answered('right'),
    refusals: {
      'an assertion that is not signed': answered('unsigned'),
      'signed by a stranger': answered('stranger'),
      'changed after it was signed': answered('changed'),
      'meant for another service': answered('elsewhere'),
    },
  };
}
