/** What services may do: ask about tokens, end sessions by tokens, read the feed of changes. */
export const SERVICE_SCOPES = ['introspect', 'revoke', 'changes'] as const;
export type ServiceScope = (typeof SERVICE_SCOPES)[number];

/** The scopes of a column of `models/service`. */
export const serviceScopesIn = (stored: string): ServiceScope[] =>
  stored === '' ? [] : (stored.split(' ') as ServiceScope[]);
