import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '#src/client/index';
import type { AuditQuery } from '#screens/console/operator/audit-query';
import { client } from '#screens/ui/client';
import { Alert, Button, Card } from '#screens/ui/controls';
import { data } from '#screens/ui/data';
import { number, t } from '#screens/ui/text';

const NEWLINE = 10;

/** Reads an answer to its end, and tells how many lines there are so far. @throws if it breaks off */
async function readLines(answer: Response, tell: (lines: number) => void): Promise<Blob> {
  const parts: BlobPart[] = [];
  let lines = 0;
  for (const reader = answer.body!.getReader(); ;) {
    const { value } = await reader.read();
    if (!value) return new Blob(parts, { type: 'application/x-ndjson' });
    parts.push(value);
    tell((lines += value.filter((byte) => byte === NEWLINE).length));
  }
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The entries that the filters name, as a file. */
export function AuditExport({ asked }: { asked: AuditQuery }) {
  const [lines, setLines] = useState<number>();
  const [state, setState] = useState<'running' | 'done' | 'broken'>();
  const [problem, setProblem] = useState<Problem>();
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const run = async () => {
    stop.current = new AbortController();
    setState('running');
    setLines(0);
    setProblem(undefined);
    const query = new URLSearchParams(Object.entries(asked) as [string, string][]);
    try {
      const { signal } = stop.current;
      const answer = await client.fetch(`${data.publicUrl}/admin/audit/export?${query}`, {
        signal,
      });
      if (!answer.ok) {
        setState(undefined);
        return setProblem((await answer.json()) as Problem);
      }
      save(
        await readLines(answer, setLines),
        `audit-${new Date().toISOString().slice(0, 10)}.ndjson`,
      );
      setState('done');
    } catch {
      setState('broken');
    }
  };
  const values = { entries: number(lines ?? 0) };
  return (
    <Card title={t('console.audit.export')} note={t('console.audit.exportNote')}>
      <Alert problem={problem} />
      {state === 'running' && <progress aria-label={t('console.audit.export')} />}
      <p role="status" class={state === 'broken' ? 'alert' : ''}>
        {state === 'running' && t('console.audit.exporting', values)}
        {state === 'done' && t('console.audit.exported', values)}
        {state === 'broken' && t('console.audit.exportBroken')}
      </p>
      <div class="actions">
        <Button busy={state === 'running'} onClick={() => void run()}>
          {t('console.audit.download')}
        </Button>
        {state === 'running' && (
          <Button onClick={() => stop.current.abort()}>{t('console.audit.stop')}</Button>
        )}
      </div>
    </Card>
  );
}
