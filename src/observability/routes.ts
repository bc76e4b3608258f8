import { z } from 'zod';
import { User } from '#models/index';
import { Problem } from '#src/core/problem';
import { get } from '#src/http/route';
import { isDraining } from '#src/observability/health';

const Ok = z.object({ status: z.literal('ok') });

export default [
  get('/livez', [], { tag: 'Running it', summary: 'Is the process alive?', returns: Ok }, () => ({ status: 'ok' as const })),

  get(
    '/readyz',
    [],
    {
      tag: 'Running it',
      summary: 'Can it answer requests? Asks the database.',
      returns: Ok,
      problems: ['unavailable'],
    },
    async () => {
      if (isDraining()) throw new Problem('unavailable');
      await User.sequelize!.query('SELECT 1').catch((cause: unknown) => {
        throw new Problem('unavailable', { cause });
      });
      return { status: 'ok' as const };
    },
  ),
];
