import { useState } from 'preact/hooks';
import type { JwkSet, NextKey, Result } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { When, whole } from '#screens/console/operator/parts';
import { Destroy } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { Alert, Card, Empty } from '#screens/ui/controls';
import { data } from '#screens/ui/data';
import { useLoad } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table } from '#screens/ui/table';
import { t } from '#screens/ui/text';

const SET = '/.well-known/jwks.json';

/** The set may be kept by the browser for minutes. Here it is read anew. */
async function readKeys(): Promise<Result<JwkSet>> {
  const first = await client.request('GET', SET);
  if (!first.ok) return first;
  const answer = await client.fetch(data.publicUrl + SET, { cache: 'reload' }).catch(() => null);
  return answer?.ok ? { ...first, body: (await answer.json()) as JwkSet } : first;
}

/** What signs access tokens, and how to replace it. */
export function Keys() {
  const { may } = useAccess();
  const { body, problem, reload } = useLoad(readKeys);
  const [next, setNext] = useState<NextKey>();
  const rows = (body?.keys ?? []).map((key) => ({ id: key.kid, ...key }));
  return (
    <>
      <Title>{t('console.keys.title')}</Title>
      <Alert problem={problem} />
      {next && (
        <p class="alert good" role="status">
          {next.kid === null ? (
            t('console.keys.replaced')
          ) : (
            <>
              {t('console.keys.made', { kid: next.kid })} <When time={next.signsFrom} />
            </>
          )}
        </p>
      )}
      <Card title={t('console.keys.public')} note={t('console.keys.note')}>
        <Table
          caption={t('console.keys.public')}
          pages={{ ...whole(rows), isLoading: !body }}
          columns={[
            { title: t('console.keys.kid'), cell: ({ kid }) => <code>{kid}</code> },
            { title: t('console.keys.alg'), cell: ({ alg }) => alg },
            { title: t('console.keys.kty'), cell: ({ kty, crv }) => [kty, crv].join(' ') },
          ]}
          empty={<Empty title={t('console.keys.none')} />}
        />
      </Card>
      {may('keys:rotate') && (
        <Rotations
          rotated={(made) => {
            setNext(made);
            void reload();
          }}
        />
      )}
    </>
  );
}

function Rotations({ rotated }: { rotated: (next: NextKey) => void }) {
  const { host } = new URL(data.publicUrl);
  const rotate = async (now: boolean) => {
    const answer = await ask('POST', '/admin/keys/rotate', { now });
    if (answer.ok) rotated(answer.body);
    return answer;
  };
  return (
    <Card title={t('console.keys.rotate')}>
      <ul class="rows">
        {[false, true].map((now) => {
          const what = t(now ? 'console.keys.nowWhat' : 'console.keys.nextWhat');
          return (
            <li key={String(now)}>
              <p class="grow">{what}</p>
              <Destroy
                label={t(now ? 'console.keys.now' : 'console.keys.next')}
                kind={now ? 'danger' : 'plain'}
                name={host}
                send={() => rotate(now)}
                done={() => {}}
              >
                <p>{what}</p>
              </Destroy>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
