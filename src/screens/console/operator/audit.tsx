import { useLocation } from 'preact-iso';
import type { AuditEntry } from '#src/client/index';
import { ask } from '#screens/console/access';
import { AuditFilters } from '#screens/console/operator/audit-filters';
import { readQuery } from '#screens/console/operator/audit-query';
import { AuditProof } from '#screens/console/operator/audit-proof';
import { AuditExport } from '#screens/console/operator/audit-export';
import { UserLink, When } from '#screens/console/operator/parts';
import { Button, Card, Empty } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table, type Column } from '#screens/ui/table';
import { number, t } from '#screens/ui/text';

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: t('console.audit.time'), cell: ({ createdAt }) => <When time={createdAt} /> },
  { title: t('console.audit.type'), cell: (entry) => <Entry entry={entry} /> },
  { title: t('console.audit.actor'), cell: (entry) => <Actor entry={entry} /> },
  {
    title: t('console.audit.subject'),
    cell: ({ subject }) => (subject ? <UserLink id={subject} /> : '–'),
  },
  { title: t('console.audit.ip'), cell: ({ ip }) => ip ?? '–' },
];

/** Those who have no id. */
const KINDS: Readonly<Record<string, string>> = {
  anonymous: t('console.audit.kind.anonymous'),
  app: t('console.audit.kind.app'),
  cli: t('console.audit.kind.cli'),
  server: t('console.audit.kind.server'),
  service: t('console.audit.kind.service'),
  user: t('console.audit.kind.user'),
};

function Actor({ entry: { actor, actorKind, onBehalfOf } }: { entry: AuditEntry }) {
  if (!actor) return <span class="kind">{KINDS[actorKind] ?? actorKind}</span>;
  const who = actorKind === 'user' ? <UserLink id={actor} /> : <code>{actor}</code>;
  return (
    <div class="two-lines">
      {who}
      {onBehalfOf && (
        <span class="note">
          {t('console.audit.onBehalfOf')} <UserLink id={onBehalfOf} />
        </span>
      )}
    </div>
  );
}

/** What happened, and what else is known about it. Whatever strangers sent is in there: it is text. */
function Entry({ entry }: { entry: AuditEntry }) {
  const { seq, sessionId, requestId, details } = entry;
  const known: [string, string][] = [
    ...Object.entries(details).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
    [t('console.audit.session'), sessionId ?? ''],
    [t('console.audit.request'), requestId ?? ''],
    [t('console.audit.seq'), seq === null ? '' : number(seq)],
  ];
  return (
    <details>
      <summary>{entry.type}</summary>
      <dl class="details">
        {known
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </details>
  );
}

/** What happened on the server, who did it, and whether nobody changed the record of it. */
export function Audit() {
  const { query } = useLocation();
  const asked = readQuery(query);
  const key = JSON.stringify(asked);
  const pages = usePages(
    (cursor) => ask('GET', '/admin/audit', null, { query: { ...asked, cursor } }),
    [key],
  );
  return (
    <>
      <Title>{t('console.audit.title')}</Title>
      <AuditFilters asked={asked} key={key} />
      <Card>
        <Table
          caption={t('console.audit.title')}
          pages={pages}
          columns={COLUMNS}
          empty={
            <Empty title={t(pages.more ? 'console.audit.noneYet' : 'console.audit.none')}>
              {pages.more && <Button onClick={pages.more}>{t('console.audit.lookOn')}</Button>}
            </Empty>
          }
        />
      </Card>
      <AuditExport asked={asked} />
      <AuditProof />
    </>
  );
}
