import { isFresh } from '#models/session';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';
import { guard } from '#src/http/route';

/** Stands after authenticate(): any one of these roles opens. It reads what Sequelize loaded with the user for this very request. */
export const requireRole = (...names: [string, ...string[]]) =>
  guard({ problems: ['forbidden'], note: `Requires the role ${names.map((name) => `\`${name}\``).join(' or ')}.` }, (req, _res, next) => {
    if (!names.some((name) => req.user?.hasRole(name))) throw new Problem('forbidden', { members: { required: names } });
    next();
  });

/** Stands before registration: SIGNUP says whether strangers may. */
export const requireOpenSignup = guard({ problems: ['forbidden'] }, (_req, _res, next) => {
  if (config.SIGNUP === 'closed') throw new Problem('forbidden', { members: { required: [] } });
  next();
});

/** Stands where a session that was left open must not be enough: its user proved who they are in the last so many minutes. */
export const requireFresh = (minutes: number) =>
  guard({ problems: ['step_up_required'], note: `Needs a sign-in in the last ${minutes} minutes.` }, (req, _res, next) => {
    if (!isFresh(req.user?.session, minutes)) throw new Problem('step_up_required');
    next();
  });

/** Stands where somebody changes how they sign in: a key for scripts must not make itself at home. See `models/api-key`. */
export const requireFullAccess = guard(
  { problems: ['forbidden'], refuses: ['api-key'], note: 'Not with an API key.' },
  (req, _res, next) => {
    if (req.user?.scopes) throw new Problem('forbidden', { members: { required: ['session'] } });
    next();
  },
);
