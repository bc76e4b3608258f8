import { useEffect, useState } from 'preact/hooks';
import type { Proof } from '#src/client/index';
import { Action } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { Button, Field, Form } from '#screens/ui/controls';
import { basePath, data } from '#screens/ui/data';
import { Dialog } from '#screens/ui/dialog';
import { useLoad } from '#screens/ui/hooks';
import { showQuestions, type Question } from '#screens/ui/questions';
import { t, type Message } from '#screens/ui/text';
import { askPasskey, hasPasskeys } from '#screens/ui/webauthn';

type Way = 'password' | 'totp' | 'passkey' | 'recovery_code';
const WAYS: Record<Way, { choose: Message; note: Message }> = {
  passkey: { choose: 'ui.usePasskey', note: 'ui.provePasskey' },
  totp: { choose: 'ui.useCode', note: 'ui.proveCode' },
  password: { choose: 'ui.usePassword', note: 'ui.provePassword' },
  recovery_code: { choose: 'ui.useRecoveryCode', note: 'ui.proveRecoveryCode' },
};
const isWay = (name: string): name is Way => name in WAYS;

/** Where questions appear. One of it is on every screen. */
export function Prompts() {
  const [question, setQuestion] = useState<Question>();
  const [chosen, setChosen] = useState<Way>();
  useEffect(() => showQuestions(setQuestion), []);
  if (!question) return null;
  const { problem } = question;
  const way = question.wrong ? chosen : undefined;
  return problem.action === 'second_factor' ? (
    <Ask
      question={question}
      ways={(problem.factors ?? []).filter(isWay)}
      first={way}
      onChoose={setChosen}
    />
  ) : (
    <StepUp question={question} first={way} onChoose={setChosen} />
  );
}

interface Choosing {
  question: Question;
  /** The way that was tried last. */
  first: Way | undefined;
  onChoose: (way: Way) => void;
}

/** A session that must prove more: what its user has, decides how. */
function StepUp(given: Choosing) {
  const { body, problem } = useLoad(() => client.request('GET', '/me/factors'));
  if (!body && !problem) return null;
  const kinds = new Set((body?.data ?? []).map(({ kind }) => kind));
  if (body?.recoveryCodesLeft) kinds.add('recovery_code');
  const needsTwo = given.question.problem.acrValues?.includes('aal2');
  if (needsTwo && body && kinds.size === 0) return <NoSecondStep {...given} />;
  const ways = [...(needsTwo ? [] : (['password'] as const)), ...[...kinds].filter(isWay)];
  return <Ask {...given} ways={ways} canLeave />;
}

/** Nothing that they could prove would be enough. */
const NoSecondStep = ({ question: { answer } }: Choosing) => (
  <Dialog title={t('ui.prove')} onClose={() => answer(null)}>
    <p>{t('ui.needsSecondStep')}</p>
    {data.screens.includes('account') && (
      <p>
        <a href={`${basePath}/account/security`}>{t('ui.addSecondStep')}</a>
      </p>
    )}
  </Dialog>
);

function Ask({
  question,
  ways,
  first,
  onChoose,
  canLeave = false,
}: Choosing & { ways: readonly Way[]; canLeave?: boolean }) {
  const [way, setWay] = useState(first ?? ways[0] ?? 'password');
  const { answer, wrong } = question;
  const send = (proof: Proof | null) => {
    onChoose(way);
    answer(proof);
  };
  const isWrong = wrong && way === first;
  return (
    <Dialog title={t('ui.prove')} onClose={() => answer(null)}>
      <p class="note">{t(WAYS[way].note)}</p>
      {way === 'passkey' ? (
        <Passkey question={question} wrong={isWrong} send={send} />
      ) : (
        <Typed way={way} wrong={isWrong} send={send} key={way} />
      )}
      <ul class="ways">
        {ways.map(
          (other) =>
            other !== way &&
            (other !== 'passkey' || hasPasskeys()) && (
              <li key={other}>
                <Button kind="link" onClick={() => setWay(other)}>
                  {t(WAYS[other].choose)}
                </Button>
              </li>
            ),
        )}
        {canLeave && (
          <li>
            <Button kind="link" onClick={() => (answer(null), void client.signOut())}>
              {t('ui.signInAgain')}
            </Button>
          </li>
        )}
      </ul>
    </Dialog>
  );
}

interface Asking {
  wrong: boolean;
  send: (proof: Proof | null) => void;
}

function Typed({ way, wrong, send }: Asking & { way: Exclude<Way, 'passkey'> }) {
  const given = {
    password: { name: 'password', type: 'password', autocomplete: 'current-password' },
    totp: { name: 'code', inputMode: 'numeric', autocomplete: 'one-time-code' },
    recovery_code: { name: 'recoveryCode', autocomplete: 'off' },
  } as const;
  const labels = {
    password: 'ui.password',
    totp: 'ui.code',
    recovery_code: 'ui.recoveryCode',
  } as const;
  const { name } = given[way];
  return (
    <Form
      submit={t('ui.continue')}
      send={async (fields) => send({ [name]: fields[name] } as Proof)}
    >
      <Field
        {...given[way]}
        label={t(labels[way])}
        error={wrong ? t('ui.wrongProof') : undefined}
        autofocus
        required
      />
    </Form>
  );
}

function Passkey({ question, wrong, send }: Asking & { question: Question }) {
  const [failed, setFailed] = useState(wrong);
  const { mfaToken } = question.problem;
  const ask = async () => {
    const options = mfaToken
      ? await client.request('POST', '/auth/mfa/options', { mfaToken })
      : await client.request('POST', '/auth/reauthenticate/options');
    if (!options.ok) return options;
    const credential = await askPasskey(options.body);
    setFailed(credential === null);
    if (credential) send({ credential });
    return undefined;
  };
  return (
    <>
      {failed && (
        <p class="alert" role="alert">
          {t('ui.passkeyFailed')}
        </p>
      )}
      <div class="actions">
        <Action kind="primary" label={t('ui.usePasskey')} send={ask} />
      </div>
    </>
  );
}
