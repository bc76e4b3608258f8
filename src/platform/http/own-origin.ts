import type { Request } from 'express';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { guard } from '#src/platform/http/route';
import type { Settings } from '#src/platform/settings/settings';

/** A function that is true for a request that a page of this server has sent. No page can forge these headers. */
export function fromOrigin({ publicUrl }: Pick<Settings, 'publicUrl'>) {
  const own = new URL(publicUrl).origin;
  return ({ headers }: Pick<Request, 'headers'>): boolean => {
    const { origin, 'sec-fetch-site': site = 'same-origin' } = headers;
    return origin === own && site === 'same-origin';
  };
}

/**
 * Stands before a form. Only a page of this server may send it: no page of another site, and none of a neighbouring
 * domain. Every browser says where a form comes from (RFC 6454 §7), unless the page has asked it not to: see `FORM_REFERRER`.
 */
export const fromOwnPage = ({ settings }: Pick<Context, 'settings'>) => {
  const isOwn = fromOrigin(settings);
  return guard({ problems: ['origin_refused'] }, (req, _res, next) => {
    if (!isOwn(req)) throw new Problem('origin_refused');
    next();
  });
};

/**
 * Stands before the form of a mailed link, which tells nobody its address: browsers send it from the origin `null`. What
 * says that it comes from elsewhere is refused. A program says nothing, and needs the token of the link anyway.
 */
export const notFromElsewhere = ({ settings }: Pick<Context, 'settings'>) => {
  const own = new URL(settings.publicUrl).origin;
  return guard({ problems: ['origin_refused'] }, ({ headers }, _res, next) => {
    const { origin = 'null', 'sec-fetch-site': site } = headers;
    const isOwn = site === undefined ? ['null', own].includes(origin) : site === 'same-origin';
    if (!isOwn) throw new Problem('origin_refused');
    next();
  });
};

/** A page that tells nobody its address sends a form from the origin `null`. With this, only the server itself hears. */
export const FORM_REFERRER = 'same-origin';
