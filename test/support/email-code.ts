import { expect } from 'vitest';
import type { clientOf } from '#test/support/client';
import type { openMailbox } from '#test/support/mailbox';

type Ask = ReturnType<typeof clientOf>;
type Mailbox = Awaited<ReturnType<typeof openMailbox>>;

/** Another code of six digits. */
export const wrong = (code: string) => (code === '000000' ? '000001' : '000000');

/** Asks for codes by mail, and signs in with them. */
export function emailCodes(ask: Ask, mailbox: Mailbox) {
  const request = (email: string, more: object = {}, headers: Record<string, string> = {}) =>
    ask('POST', '/auth/email-code/request', { body: { email, ...more }, headers });
  const signIn = (requestToken: string, code: string, headers: Record<string, string> = {}) =>
    ask('POST', '/auth/email-code', { body: { requestToken, code }, headers });
  /** A request, and the mail that it brought. */
  async function asked(email: string, more: object = {}, headers: Record<string, string> = {}) {
    const { status, body, text } = await request(email, more, headers);
    expect(status, text).toBe(202);
    const mail = await mailbox.next(email);
    return { requestToken: body.requestToken as string, code: mail.code, mail };
  }
  /** Somebody who has the mailbox of an address signs in. */
  async function enter(email: string) {
    const { requestToken, code } = await asked(email);
    return signIn(requestToken, code);
  }
  return { request, signIn, asked, enter };
}
