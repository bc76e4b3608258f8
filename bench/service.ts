import express from 'express';

/** Another service, in a process of its own, as docs/services.md has it. It counts what it asks the auth server. */
const asked: Record<string, number> = {};
const { fetch } = globalThis;
globalThis.fetch = (input, init) => {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  asked[pathname] = (asked[pathname] ?? 0) + 1;
  return fetch(input, init);
};

const built = new URL('../dist/src/protect/protect.js', import.meta.url).href;
const { protect } = (await import(built)) as typeof import('../src/protect/protect.js');
const options = JSON.parse(process.env['PROTECT']!) as Parameters<typeof protect>[0];
const { authenticate, requireRole } = protect(options);
const app = express();
app.get('/asked', (_req, res) => void res.json(asked));
app.get('/who', authenticate(), (req, res) => void res.json({ for: req.auth!.username }));
app.get('/desk', authenticate(), requireRole('editor'), (_req, res) => void res.json({}));
app.listen(Number(process.env['PORT']), '127.0.0.1');
