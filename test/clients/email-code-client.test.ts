import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { examples, load, type Client, type Reply } from '#test/support/clients/examples';
import { vault } from '#test/support/clients/vault';
import { openMailbox } from '#test/support/mailbox';

type TakeCode = (code: string) => Promise<Reply>;
const { mailCode } = await load<{ mailCode: (client: Client, email: string) => Promise<TakeCode> }>(
  'email-code.js',
);
const mailbox = await openMailbox();
const { url } = await startApp({ ...mailbox.env, EMAIL_CODE: 'on' });

describe.each(examples)('email-code.js with %s', (name, create) => {
  const client = () => {
    const storage = vault();
    return { storage, ...create({ baseUrl: url, storage }) };
  };
  const email = `${name.replaceAll(/\W/g, '.')}@example.com`;

  it('signs in with the code that was mailed, and stores the tokens', async () => {
    const app = client();
    const take = await mailCode(app, email);
    const { code } = await mailbox.next(email);
    const { status, body } = await take(` ${code.slice(0, 3)} ${code.slice(3)}`);
    expect([status, app.storage.held()]).toEqual([200, body]);
    expect((await app.request('GET', '/me')).body.email).toBe(email);
  });

  it('says what was refused, and stores nothing', async () => {
    const app = client();
    const take = await mailCode(app, email);
    const { code } = await mailbox.next(email);
    const { status, body } = await take(code === '000000' ? '000001' : '000000');
    expect([status, body.code, app.storage.held()]).toEqual([401, 'invalid_credentials', null]);
    await expect(mailCode(app, 'nobody')).rejects.toMatchObject({
      cause: { code: 'invalid_request' },
    });
  });
});
