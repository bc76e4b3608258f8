import { isMembersOnly, type Route } from '#src/platform/http/route';

/** True when a user must authenticate before the route is entered, not another service. */
export const isForUsers = (route: Pick<Route, 'guards'>): boolean =>
  isMembersOnly(route) &&
  !route.guards.some(({ doc }) => doc.security?.().some((scheme) => 'service' in scheme));
