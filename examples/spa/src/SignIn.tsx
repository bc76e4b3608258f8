import { useEffect, useState } from 'react';
import type { Strategies } from 'sallyport/client';
import { useClient, useSession } from 'sallyport/react';
import { assertion, cameBack } from './client';
import { Field, Form, useTask } from './form';

export function SignIn() {
  const client = useClient();
  const session = useSession();
  const [isNew, setNew] = useState(false);
  const [ways, setWays] = useState<Strategies>([]);
  const { run, alert } = useTask();
  useEffect(() => {
    void run(() => cameBack);
    void client.request('GET', '/auth/strategies').then(({ ok, body }) => ok && setWays(body));
  }, [client]);

  async function withPasskey() {
    const options = await client.request('POST', '/auth/passkey/options', {});
    if (!options.ok) return options;
    const { challengeToken, publicKey } = options.body;
    const credential = await assertion(publicKey);
    return credential && client.signIn({ challengeToken, credential }, 'passkey');
  }
  const redirects = ways.filter(({ kind }) => kind === 'redirect');
  const leaveFor = async (name: string) =>
    location.assign(await client.redirectTo(name, `${location.origin}/signed-in`));

  return (
    <>
      <h1>Example</h1>
      {'problem' in session && <p role="status">You were signed out: {session.problem?.title}</p>}
      {alert}
      <Form
        key={String(isNew)}
        button={isNew ? 'Sign up' : 'Sign in'}
        onSubmit={({ name = '', password = '' }) =>
          isNew
            ? client.signUp({ username: name, password })
            : client.signIn({ identifier: name, password })
        }
      >
        <Field
          label={isNew ? 'Username' : 'Username or e-mail'}
          name="name"
          autoComplete="username"
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete={isNew ? 'new-password' : 'current-password'}
        />
      </Form>
      <p>
        <button onClick={() => run(withPasskey)}>Use a passkey</button>
        {redirects.map(({ name }) => (
          <button key={name} onClick={() => leaveFor(name)}>
            Go on with {name}
          </button>
        ))}
        <button className="link" onClick={() => setNew(!isNew)}>
          {isNew ? 'I have an account' : 'I am new here'}
        </button>
      </p>
    </>
  );
}
