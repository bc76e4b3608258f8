import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { ask, useAccess } from '#screens/console/access';
import { Field } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { pathTo } from '#screens/ui/screen';
import { Select } from '#screens/ui/select';
import { t } from '#screens/ui/text';

const SORTS = ['id', '-id', 'created', '-created'] as const;
type Truth = 'true' | 'false';

/** What the list shows. It is in the address, so a reload, a bookmark and the back button keep it. */
export interface UserQuery {
  q?: string;
  role?: string;
  disabled?: Truth;
  verified?: Truth;
  sort: (typeof SORTS)[number];
}

const isTruth = (text: string | undefined): text is Truth => text === 'true' || text === 'false';

/** Anybody can write an address. What the server would refuse is left out. */
export function readQuery({
  q,
  role,
  disabled,
  verified,
  sort,
}: Record<string, string>): UserQuery {
  return {
    ...(q?.trim() && { q: q.trim().slice(0, 100) }),
    ...(role && /^[a-z0-9][a-z0-9._:-]{0,63}$/.test(role) && { role }),
    ...(isTruth(disabled) && { disabled }),
    ...(isTruth(verified) && { verified }),
    sort: SORTS.find((each) => each === sort) ?? '-id',
  };
}

const addressOf = (asked: Partial<UserQuery>): string => {
  const given = Object.entries(asked).filter(([, value]) => value);
  const query = new URLSearchParams(given.filter(([, value]) => value !== '-id'));
  return `${pathTo('console', 'users')}${query.size > 0 ? `?${query}` : ''}`;
};

/** Milliseconds without a key until the list follows. */
const PAUSE = 300;

export function Filters({ asked }: { asked: UserQuery }) {
  const { route } = useLocation();
  const { may } = useAccess();
  const [typed, setTyped] = useState(asked.q ?? '');
  const shown = useRef(asked.q ?? '');
  useEffect(() => {
    // The back button has changed the address.
    if ((asked.q ?? '') !== shown.current) setTyped((shown.current = asked.q ?? ''));
  }, [asked.q]);
  useEffect(() => {
    const q = typed.trim();
    if (q === shown.current) return undefined;
    const timer = setTimeout(() => {
      shown.current = q;
      route(addressOf({ ...asked, q }), true);
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [typed, addressOf(asked)]);
  const choose = (name: string) => (value: string) =>
    route(addressOf({ ...asked, q: typed.trim(), [name]: value }));
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <Field
        label={t('console.users.search')}
        type="search"
        placeholder={t('console.users.searchHint')}
        value={typed}
        maxLength={100}
        autocomplete="off"
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      {may('roles:read') && <RoleFilter value={asked.role} choose={choose('role')} />}
      <Select
        label={t('console.users.state')}
        value={asked.disabled ?? ''}
        choose={choose('disabled')}
        options={[
          ['', t('console.users.any')],
          ['false', t('console.users.active')],
          ['true', t('console.users.disabled')],
        ]}
      />
      <Select
        label={t('console.users.email')}
        value={asked.verified ?? ''}
        choose={choose('verified')}
        options={[
          ['', t('console.users.any')],
          ['true', t('console.users.verified')],
          ['false', t('console.users.unverified')],
        ]}
      />
      <Select
        label={t('console.users.sort')}
        value={asked.sort}
        choose={choose('sort')}
        options={[
          ['-id', t('console.users.sortNewest')],
          ['id', t('console.users.sortOldest')],
          ['-created', t('console.users.sortCreatedLast')],
          ['created', t('console.users.sortCreatedFirst')],
        ]}
      />
    </form>
  );
}

function RoleFilter({
  value = '',
  choose,
}: {
  value: string | undefined;
  choose: (role: string) => void;
}) {
  const { body } = useLoad(() => ask('GET', '/admin/roles', null, { query: { limit: 100 } }));
  const names = new Set(body?.data.map(({ name }) => name));
  if (value) names.add(value);
  return (
    <Select
      label={t('console.users.role')}
      value={value}
      choose={choose}
      options={[
        ['', t('console.users.any')],
        ...[...names].map((name): [string, string] => [name, name]),
      ]}
    />
  );
}
