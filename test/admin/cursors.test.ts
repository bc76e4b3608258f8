import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';

const mailbox = await openMailbox();
const app = await startApp({ ...mailbox.env, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1' });
const { ask, auth, register, routes, OutgoingMail } = app;
const admin = await register({ username: 'chief' }, 'admin');
const [ada, anna] = [await register({ username: 'ada' }), await register({ username: 'anna' })];
for (const { username } of [ada, anna]) await app.logIn(username);

const url = 'http://127.0.0.1:9/';
const hooks: string[] = [];
for (let i = 0; i < 2; i++) {
  const { webhook } = await auth.webhooks.create({ url, types: ['user.*'] });
  hooks.push(webhook.id);
  for (let j = 0; j < 2; j++) await auth.webhooks.test(webhook.id);
  await auth.services.create({ name: `service${i}` });
  await auth.invitations.create({ email: `guest${i}@example.com` });
  await OutgoingMail.create({
    id: `0197a000-0000-7000-8000-00000000000${i}`,
    encryptedPayload: 'sealed',
    template: 'invitation',
    nextAttemptAt: new Date(Date.now() + 3_600_000),
    expiresAt: new Date(Date.now() + 7_200_000),
  });
}

/** Every list of administrators, some of them by several filters. Each has a second page. */
const lists: Record<string, string[]> = {
  '/admin/users': ['', 'q=a', 'sort=-id', 'sort=created', 'disabled=false'],
  '/admin/users/:id/sessions': [ada.id, anna.id],
  '/admin/roles': [''],
  '/admin/invitations': [''],
  '/admin/audit': ['', 'type=session.started'],
  '/admin/webhooks': [''],
  '/admin/services': [''],
  '/admin/webhooks/:id/deliveries': [hooks[0]!, hooks[1]!, `${hooks[0]}?state=pending`],
  '/admin/mails': [''],
};
const paths = Object.entries(lists).flatMap(([path, kinds]) =>
  kinds.map((kind) => {
    const [id, query = ''] = kind.split('?');
    const whole = path.includes(':id') ? `${path.replace(':id', id!)}?${query}` : `${path}?${kind}`;
    return `${whole}&limit=1`;
  }),
);

it('are all lists of administrators that have pages', () => {
  const paged = routes
    .filter(({ path, spec }) => path.startsWith('/admin') && 'limit' in (spec.query?.shape ?? {}))
    .map(({ path }) => path);
  expect(Object.keys(lists).toSorted()).toEqual(paged.toSorted());
});

it('take their own cursors, and none of another list, other filters or another order, nor forged ones', async () => {
  const cursors = new Map<string, string>();
  for (const path of paths) {
    const { status, body } = await admin.ask('GET', path);
    expect([status, typeof body.nextCursor], path).toEqual([200, 'string']);
    cursors.set(path, body.nextCursor);
  }
  for (const cursor of cursors.values())
    expect((await admin.ask('GET', `/admin/audit/verify?cursor=${cursor}`)).status).toBe(400);
  for (const path of paths) {
    for (const [from, cursor] of cursors) {
      const { status } = await admin.ask('GET', `${path}&cursor=${cursor}`);
      expect(status, `${from} at ${path}`).toBe(from === path ? 200 : 400);
    }
    const own = cursors.get(path)!;
    for (const forged of [
      admin.id,
      own.slice(1),
      own.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')),
    ])
      expect((await admin.ask('GET', `${path}&cursor=${forged}`)).status, path).toBe(400);
  }
  expect((await ask('GET', paths[0]!)).status).toBe(401);
});
