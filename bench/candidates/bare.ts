import express from 'express';
import { somebody } from '#people';

/** The floor: Express as it comes, and two routes that answer the same JSON to everybody. */
const app = express();
if (process.env['ETAG'] === 'off') app.disable('etag');
app.get('/me', (_req, res) => {
  res.json(somebody);
});
app.get('/editors', (_req, res) => {
  res.json(somebody);
});
app.listen(Number(process.env['PORT']), '127.0.0.1');
