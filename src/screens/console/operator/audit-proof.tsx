import { useEffect, useRef, useState } from 'preact/hooks';
import type { AuditVerification, Problem } from '#src/client/index';
import { ask } from '#screens/console/access';
import { Alert, Button, Card } from '#screens/ui/controls';
import { number, t } from '#screens/ui/text';

type Fault = AuditVerification['faults'][number];
interface Proof {
  isDone: boolean;
  entries: number;
  lastSeq: number;
  /** The place of the newest entry when this began. */
  end: number;
  faults: Fault[];
}
const FAULTS = {
  changed: 'console.audit.fault.changed',
  missing: 'console.audit.fault.missing',
  moved: 'console.audit.fault.moved',
  unknown_key: 'console.audit.fault.unknownKey',
  day_changed: 'console.audit.fault.dayChanged',
  ends_changed: 'console.audit.fault.endsChanged',
  unproved: 'console.audit.fault.unproved',
  surplus: 'console.audit.fault.surplus',
} as const;
const isKnown = (name: string): name is keyof typeof FAULTS => name in FAULTS;
const MOST_FAULTS = 100;

/** Where the trail ends now: the newest entry that has a place. 0 if that is not known. */
async function endOfTrail(): Promise<number> {
  const answer = await ask('GET', '/admin/audit', null, { query: { limit: 20 } });
  return (answer.ok && answer.body.data.find(({ seq }) => seq !== null)?.seq) || 0;
}

/** Verifies the trail part by part, and says how far it is. Ends early if `isWanted` says so. */
async function verify(
  show: (proof: Proof) => void,
  isWanted: () => boolean,
): Promise<Problem | undefined> {
  const proof: Proof = {
    isDone: false,
    entries: 0,
    lastSeq: 0,
    end: await endOfTrail(),
    faults: [],
  };
  for (let cursor: string | undefined; isWanted() && !proof.isDone; show({ ...proof })) {
    const answer = await ask('GET', '/admin/audit/verify', null, { query: { cursor } });
    if (!answer.ok) return answer.body;
    const { entries, lastSeq, faults, nextCursor } = answer.body;
    proof.entries += entries;
    proof.lastSeq = lastSeq;
    proof.faults = [...proof.faults, ...faults].slice(0, MOST_FAULTS);
    proof.isDone = nextCursor === null;
    cursor = nextCursor ?? undefined;
  }
  return undefined;
}

/** Whether the trail is as the server wrote it. */
export function AuditProof() {
  const [proof, setProof] = useState<Proof>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const isHere = useRef(true);
  useEffect(() => {
    isHere.current = true;
    return () => void (isHere.current = false);
  }, []);
  const run = async () => {
    setBusy(true);
    setProof(undefined);
    setProblem(undefined);
    const refusal = await verify(setProof, () => isHere.current);
    setProblem(refusal);
    setBusy(false);
  };
  return (
    <Card title={t('console.audit.verify')} note={t('console.audit.verifyNote')}>
      <Alert problem={problem} />
      {busy && (
        <progress
          aria-label={t('console.audit.verifying')}
          max={Math.max(proof?.end ?? 0, 1)}
          value={proof && proof.end > 0 ? Math.min(proof.lastSeq, proof.end) : undefined}
        />
      )}
      <div role="status">{proof?.isDone && <Verdict proof={proof} />}</div>
      <div class="actions">
        <Button kind="primary" busy={busy} onClick={() => void run()}>
          {t('console.audit.verify')}
        </Button>
      </div>
    </Card>
  );
}

function Verdict({ proof: { entries, faults } }: { proof: Proof }) {
  const values = {
    entries: number(entries),
    faults: faults.length === MOST_FAULTS ? `${MOST_FAULTS}+` : number(faults.length),
  };
  if (faults.length === 0) return <p class="alert good">{t('console.audit.whole', values)}</p>;
  return (
    <div class="alert">
      <p class="strong">{t('console.audit.broken', values)}</p>
      <ul class="scroll">
        {faults.map(({ fault, seq, to, id, day }, i) => (
          <li key={i}>
            {isKnown(fault) ? t(FAULTS[fault]) : fault}{' '}
            {[to ? `${seq}–${to}` : seq, day, id].filter(Boolean).join(' · ')}
          </li>
        ))}
      </ul>
    </div>
  );
}
