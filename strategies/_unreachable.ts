const TLS = /CERT|SELF_SIGNED|UNABLE_TO_|TLS|SSL/;

interface Members {
  code?: unknown;
  cause?: unknown;
  message?: unknown;
  status?: unknown;
  expected?: unknown;
  body?: unknown;
}

/** The errors behind an error, from the outside in, at most eight. */
function chainOf(error: unknown): Members[] {
  const chain: Members[] = [];
  for (let each = error; each && typeof each === 'object' && chain.length < 8;) {
    chain.push(each);
    each = (each as Members).cause;
  }
  return chain;
}

/**
 * A sentence for the operator: why something of a provider could not be read, and what to do.
 * `what` begins it: `The key set of https://idp.example.com`.
 */
export function explain(error: unknown, what: string): string {
  const chain = chainOf(error);
  const code = chain.map((each) => each.code).findLast((each) => typeof each === 'string') ?? '';
  const issuer = chain.find(({ expected, body }) => expected && body);
  if (issuer)
    return `${what} says that it belongs to another issuer: ${String((issuer.body as { issuer?: unknown }).issuer)}. If that is your provider, name exactly this issuer in the settings.`;
  const status = chain.map((each) => Number(each.status)).find((each) => each >= 300);
  if (status)
    return `${what} cannot be read: the provider answers ${status}. ${status >= 500 ? 'Try again later.' : 'Is the address right?'}`;
  if (TLS.test(code))
    return `${what} cannot be read: its TLS certificate is not trusted (${code}). If it is signed by an authority of your own, name its certificate in NODE_EXTRA_CA_CERTS.`;
  if (
    /TIMEOUT|TIMEDOUT/.test(code) ||
    chain.some((each) => (each as Error).name === 'TimeoutError')
  )
    return `${what} cannot be read: the provider does not answer in time. May this machine reach it?`;
  if (/^E[A-Z]+/.test(code))
    return `${what} cannot be read: the provider cannot be reached (${code}). Is the address right, and may this machine reach it?`;
  return `${what} cannot be used: ${(error as Error).message}.`;
}
