import { z } from 'zod';
import { authenticate } from '#src/http/passport';
import { post } from '#src/http/route';
import type { AuthStrategy } from '#src/http/strategy';
import { deviceOf, DeviceInput } from '#src/sessions/device';
import { Tokens, tokensFor } from '#src/sessions/schemas';
import { startSession } from '#src/sessions/sessions';

/** One sign-in route for each strategy of kind `login`, made from what its file says. */
export const signInRoutes = (strategies: AuthStrategy[]) =>
  strategies
    .filter(({ kind }) => kind === 'login')
    .map(({ name, path = name, summary, credentials }) =>
      post(
        `/auth/${path}`,
        [authenticate(name)],
        {
          tag: 'Entering',
          summary,
          body: credentials as z.ZodType<{ device?: z.output<typeof DeviceInput> }>,
          returns: Tokens,
        },
        async (req) => {
          const session = await startSession(req.user, deviceOf(req, req.body.device), name);
          return tokensFor(session, req.user);
        },
      ),
    );
