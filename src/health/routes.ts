import { z } from 'zod';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { get, type Route } from '#src/platform/http/route';

const Ok = z.object({ status: z.literal('ok') }).meta({ id: 'HealthStatus' });
const ok = Object.freeze({ status: 'ok' });

export const healthRoutes = ({ db, health }: Context): Route[] => [
  get(
    '/livez',
    [],
    {
      operationId: 'getLiveness',
      tag: 'Operations',
      summary: 'Is the process alive?',
      returns: Ok,
    },
    () => ok,
  ),

  get(
    '/readyz',
    [],
    {
      operationId: 'getReadiness',
      tag: 'Operations',
      summary: 'Can it answer requests? Asks the database.',
      returns: Ok,
      problems: ['unavailable'],
    },
    async () => {
      if (health.draining) throw new Problem('unavailable');
      await db.sequelize.query('SELECT 1').catch((cause: unknown) => {
        throw new Problem('unavailable', { cause });
      });
      return ok;
    },
  ),
];
