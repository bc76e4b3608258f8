import type { Request } from 'express';

/** True for a browser that opens an address: its `Accept` prefers HTML to JSON. */
export const prefersPage = (req: Request): boolean => req.accepts(['json', 'html']) === 'html';

/**
 * True for a person who opened an address in a browser. Programs have asked for HTML without wanting it: Java's
 * HttpURLConnection does. Browsers say that they navigate (Fetch Metadata), or on an origin that is not secure, that they
 * would rather have it upgraded.
 */
export const isNavigation = (req: Request): boolean =>
  (req.get('sec-fetch-mode') === 'navigate' ||
    (req.headers['sec-fetch-mode'] === undefined &&
      req.get('upgrade-insecure-requests') === '1')) &&
  prefersPage(req);
