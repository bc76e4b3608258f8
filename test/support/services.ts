import type { Question } from '#test/support/client';

export interface ServiceCredentials {
  id: string;
  secret: string;
}

/** The header of a service (RFC 6749 §2.3.1). Its id and secret have no character that form-urlencoding changes. */
export const basicOf = ({ id, secret }: ServiceCredentials) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

/** A form, from a service or from nobody. */
export const formOf = (
  service: ServiceCredentials | undefined,
  fields: Record<string, string>,
): Question => ({
  headers: {
    ...(service && basicOf(service)),
    'content-type': 'application/x-www-form-urlencoded',
  },
  raw: new URLSearchParams(fields).toString(),
});
