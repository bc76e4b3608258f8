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
