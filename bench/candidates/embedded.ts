import express from 'express';

/** Sallyport in an app, as the README has it: the server has no route of its own that needs a role and does nothing. */
const built = new URL('../../dist/src/index.js', import.meta.url).href;
const { createSallyport, settingsFrom } = (await import(
  built
)) as typeof import('../../src/index.js');

const auth = await createSallyport(settingsFrom(process.env));
const app = express();
app.use(auth.router);
app.get('/editors', auth.authenticate(), auth.requireRole('user'), (req, res) => {
  const { id, username, email, emailVerified, name, roles, locale, permissions, actor } = req.user!;
  res.json({ id, username, email, emailVerified, name, roles, locale, permissions, actor });
});
app.use(auth.errorHandler);
auth.createServer(app).listen(Number(process.env['PORT']), '127.0.0.1');
