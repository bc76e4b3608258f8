import express from 'express';

/** The measure: Express as it comes, with one route that answers the JSON it was given. */
const answer: unknown = JSON.parse(process.env['ANSWER'] ?? '{}');
express()
  .get('/me', (_req, res) => {
    res.json(answer);
  })
  .listen(Number(process.env['PORT']), '127.0.0.1');
