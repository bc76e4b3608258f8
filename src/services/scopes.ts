/** What services may do: ask about tokens, read the feed of changes. */
export const SERVICE_SCOPES = ['introspect', 'changes'] as const;
export type ServiceScope = (typeof SERVICE_SCOPES)[number];

/** The scopes of a column of `models/service`. */
export const serviceScopesIn = (stored: string): ServiceScope[] =>
  stored === '' ? [] : (stored.split(' ') as ServiceScope[]);
