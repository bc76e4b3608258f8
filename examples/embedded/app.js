import { hash } from 'node:crypto';
import express from 'express';
import { createSallyport, settingsFrom } from 'sallyport';
import { custom, defineStrategy } from 'sallyport/strategy';
import { DataTypes } from 'sequelize';
import { z } from 'zod';

const port = Number(process.env.PORT ?? 3000);
const publicUrl = process.env.PUBLIC_URL ?? `http://localhost:${port}/identity`;

// A strategy of its own: a script sends a key and is the user `robot`. Without ROBOT_KEY it is off.
const robot = defineStrategy({
  name: 'robot',
  kind: 'bearer',
  summary: 'A key for one script',
  env: z.object({ ROBOT_KEY: z.string().min(32) }),
  scheme: { type: 'apiKey', in: 'header', name: 'X-Robot-Key' },
  create: ({ env, auth }) =>
    custom(async (req) => {
      const isKey = hash('sha256', req.get('x-robot-key') ?? '') === hash('sha256', env.ROBOT_KEY);
      return isKey ? auth.users.find('robot') : null;
    }),
});

const settings = settingsFrom(process.env);
const auth = await createSallyport({ ...settings, publicUrl, strategies: [robot] });

// A table of its own. The notes of a deleted user are deleted with the user.
const Note = auth.sequelize.define('Note', {
  text: { type: DataTypes.STRING(500), allowNull: false },
});
const owner = { foreignKey: { name: 'userId', allowNull: false }, onDelete: 'CASCADE' };
auth.models.User.hasMany(Note, { as: 'notes', ...owner });
await Note.sync();

const app = express();
app.use(new URL(publicUrl).pathname, auth.router);
app.post('/notes', auth.authenticate(), express.json(), async (req, res) => {
  const text = String(req.body?.text ?? '').slice(0, 500);
  res.status(201).json(await Note.create({ userId: req.user.id, text }));
});
app.get('/notes', auth.authenticate(), async (req, res) => {
  res.json(await Note.findAll({ where: { userId: req.user.id }, order: ['id'] }));
});
app.get('/reports', auth.authenticate(), auth.requireRole('editor'), async (req, res) => {
  res.json({ notes: await Note.count(), for: req.user.username });
});
app.use(auth.errorHandler);
app.use((_req, res) => res.status(404).send('<h1>There is no such page.</h1>'));

const server = auth
  .createServer(app)
  .listen(port, '127.0.0.1', () => console.log(`The app is at ${publicUrl}`));
process.once('SIGTERM', () => server.close(() => auth.close()));
