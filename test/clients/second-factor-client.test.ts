import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { examples, load, type Client, type Reply } from '#test/support/clients/examples';
import { vault } from '#test/support/clients/vault';
import { totpCode } from '#test/support/second-factor';

interface Asked {
  factors?: string[];
  acrValues?: string[];
  wrong: boolean;
}
type Ask = (asked: Asked) => object | null;
interface Example {
  signIn: (client: Client, path: string, body: object, ask: Ask) => Promise<Reply>;
  withProof: (
    client: Client,
    method: string,
    path: string,
    body: object | undefined,
    ask: Ask,
  ) => Promise<Reply>;
  addApp: (client: Client, show: (shown: { secret: string }) => string) => Promise<Reply>;
}
const { signIn, withProof, addApp } = await load<Example>('second-factor.js');
const { url, ctx, register } = await startApp();

describe.each(examples)('second-factor.js with %s', (_name, create) => {
  const client = () => {
    const storage = vault();
    return { storage, ...create({ baseUrl: url, storage }) };
  };
  /** Somebody who has just added an authenticator app, and what asks that app for the next code. */
  const enrolled = async () => {
    const { username } = await register();
    const app = client();
    const credentials = { identifier: username, password };
    const entered = await signIn(app, '/auth/login', credentials, () => null);
    expect(entered.status, JSON.stringify(entered.body)).toBe(200);
    let secret = '';
    const { status, body } = await addApp(app, (shown) => {
      ({ secret } = shown);
      return totpCode(secret, ctx.clock.now());
    });
    expect(status, JSON.stringify(body)).toBe(200);
    const code = () => totpCode(secret, ctx.clock.now(), 1);
    return { app, credentials, code, recoveryCodes: body.recoveryCodes as string[] };
  };

  it('signs in with a second factor, after a wrong one', async () => {
    const { credentials, code } = await enrolled();
    const app = client();
    const asked: Asked[] = [];
    const { status, body } = await signIn(app, '/auth/login', credentials, (each) => {
      asked.push(each);
      return asked.length === 1 ? { code: 'what?' } : { code: code() };
    });
    expect([status, app.storage.held()]).toEqual([200, body]);
    const factors = ['totp', 'recovery_code'];
    expect(asked).toEqual([
      { factors, wrong: false },
      { factors, wrong: true },
    ]);
  });

  it('stores nothing when the user gives up', async () => {
    const { credentials } = await enrolled();
    const app = client();
    const { status, body } = await signIn(app, '/auth/login', credentials, () => null);
    expect([status, body.code, app.storage.held()]).toEqual([403, 'mfa_required', null]);
  });

  it('repeats a request with the proof that was missing', async () => {
    const { credentials, recoveryCodes } = await enrolled();
    const app = client();
    await signIn(app, '/auth/login', credentials, () => ({ recoveryCode: recoveryCodes[0] }));
    const held = app.storage.held() as { session: { id: string } };
    const longAgo = new Date(ctx.clock.now() - 2 * 60 * 60 * 1000);
    await ctx.db.Session.update(
      { aal2At: longAgo, authenticatedAt: longAgo, createdAt: longAgo },
      { where: { id: held.session.id } },
    );
    const asked: Asked[] = [];
    const path = '/me/factors/recovery-codes';
    const { status, body } = await withProof(app, 'POST', path, undefined, (each) => {
      asked.push(each);
      return { recoveryCode: recoveryCodes[1] };
    });
    expect([status, body.recoveryCodes?.length]).toEqual([200, 10]);
    expect(asked).toEqual([{ acrValues: ['aal2'], wrong: false }]);
  });
});
