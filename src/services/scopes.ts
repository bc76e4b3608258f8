/** What services may do: ask about tokens, read the feed of changes, end the session of a token. */
export const SERVICE_SCOPES = ['introspect', 'changes', 'revoke'] as const;
export type ServiceScope = (typeof SERVICE_SCOPES)[number];

/** The scopes of a column of `models/service`. */
export const serviceScopesIn = (stored: string): ServiceScope[] =>
  stored === '' ? [] : (stored.split(' ') as ServiceScope[]);
