import { useCallback, useEffect, useState } from 'react';
import type { ConfirmedFactor, Factor, ListedSession } from 'sallyport/client';
import type { PendingTotpFactor, Result } from 'sallyport/client';
import { useClient, useSession } from 'sallyport/react';
import { registration } from './client';
import { Field, Form, useTask } from './form';

export function Account() {
  const client = useClient();
  const { user } = useSession();
  const [sessions, setSessions] = useState<readonly ListedSession[]>([]);
  const [factors, setFactors] = useState<readonly Factor[]>([]);
  const [pending, setPending] = useState<PendingTotpFactor | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const { run, alert } = useTask();

  const load = useCallback(async () => {
    const listed = await client.request('GET', '/me/sessions');
    if (!listed.ok) return listed;
    setSessions(listed.body.data);
    const proved = await client.request('GET', '/me/factors');
    if (proved.ok) setFactors(proved.body.data);
    return proved;
  }, [client]);
  useEffect(() => void run(load), [load]);
  const end = (path: '/me/factors/{id}' | '/me/sessions/{id}', id: string) =>
    run(async () => {
      const answer = await client.request('DELETE', path, null, { params: { id } });
      return answer.ok ? load() : answer;
    });

  async function added(answer: Result<ConfirmedFactor>) {
    if (!answer.ok) return answer;
    setPending(null);
    setCodes(answer.body.recoveryCodes);
    return load();
  }
  async function addPasskey() {
    const options = await client.request('POST', '/me/factors/passkeys/options');
    if (!options.ok) return options;
    const { challengeToken, publicKey } = options.body;
    const credential = await registration(publicKey);
    if (!credential) return null;
    return added(
      await client.request('POST', '/me/factors/passkeys', { challengeToken, credential }),
    );
  }
  async function addApp() {
    const begun = await client.request('POST', '/me/factors/totp');
    if (begun.ok) setPending(begun.body);
    return begun;
  }
  const confirmApp = async (id: string, code: string) => {
    const path = '/me/factors/totp/{id}/confirm';
    return added(await client.request('POST', path, { code }, { params: { id } }));
  };

  return (
    <>
      <h1>Hello {user?.name ?? user?.username ?? user?.email}</h1>
      {alert}
      {codes && (
        <p role="status">
          Keep these recovery codes. They are shown once: <code>{codes.join(' ')}</code>
        </p>
      )}
      <section aria-label="Second factors">
        <h2>Second factors</h2>
        <ul>
          {factors.map(({ id, name, kind }) => (
            <li key={id}>
              {name} <small>{kind}</small>
              <button onClick={() => end('/me/factors/{id}', id)}>Remove</button>
            </li>
          ))}
        </ul>
        {pending ? (
          <Form button="Add it" onSubmit={({ code = '' }) => confirmApp(pending.id, code)}>
            <img alt="QR code" src={`data:image/svg+xml,${encodeURIComponent(pending.qr)}`} />
            <code>{pending.secret}</code>
            <Field label="Code that the app shows" name="code" autoComplete="one-time-code" />
          </Form>
        ) : (
          <p>
            <button onClick={() => run(addApp)}>Add an app</button>
            <button onClick={() => run(addPasskey)}>Add a passkey</button>
          </p>
        )}
      </section>
      <section aria-label="Sessions">
        <h2>Sessions</h2>
        <ul>
          {sessions.map(({ id, device, current, lastSeenAt }) => (
            <li key={id}>
              {device.name ?? 'Unknown device'}
              <small>{current ? 'this one' : new Date(lastSeenAt).toLocaleString()}</small>
              {!current && <button onClick={() => end('/me/sessions/{id}', id)}>End</button>}
            </li>
          ))}
        </ul>
      </section>
      <p>
        <button onClick={() => run(load)}>Refresh</button>
        <button onClick={() => client.signOut()}>Sign out</button>
        <button onClick={() => client.signOut({ everywhere: true })}>Sign out everywhere</button>
      </p>
    </>
  );
}
