import { z } from 'zod';
import { isVerificationRequired } from '#src/core/confirmation';
import { requireFullAccess, requireOpenSignup } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import { del, get, patch, post, put } from '#src/http/route';
import { deviceOf, DeviceInput } from '#src/sessions/device';
import { Tokens, tokensFor } from '#src/sessions/schemas';
import { startSession } from '#src/sessions/sessions';
import { changePassword } from '#src/users/change-password';
import { deleteUser, updateUser } from '#src/users/me';
import { register } from '#src/users/register';
import { FreeUsername, Name, needsOne, newUserFields, Password, PublicUser, publicUser, someIdentifier } from '#src/users/schemas';
import { signUp } from '#src/users/sign-up';

const Registration = z
  .strictObject({ username: FreeUsername.optional(), ...newUserFields, device: DeviceInput.optional() })
  .refine(someIdentifier, needsOne)
  .meta({ id: 'Registration' });

const Changes = z
  .strictObject({ username: FreeUsername.optional(), name: Name.nullable().optional() })
  .refine((changes) => Object.keys(changes).length > 0, { message: 'Give at least one field to change', params: { code: 'required' } });

/** Whoever holds a token may not find out the password with it. */
export const limitPassword = limit('password', ({ user }) => user?.id);

const registration = {
  tag: 'Entering',
  summary: 'Create a user',
  body: Registration,
  problems: ['username_taken', 'weak_password', 'busy', 'unavailable'],
} as const;
const signUpGuards = [requireOpenSignup, limit('sign-up')] as const;

/** Answers the same whether or not the address is known. */
const registerToVerify = post(
  '/auth/register',
  signUpGuards,
  {
    ...registration,
    description:
      'Give an e-mail address, and a username if you like. A mail to the address says how to go on: nobody is told here whether it is known.',
    returns: z.object({ status: z.literal('verification_required') }),
    status: 202,
  },
  async (req) => {
    const { device: _, ...newUser } = req.body;
    await signUp(newUser);
    return { status: 'verification_required' as const };
  },
);

const registerAndEnter = post(
  '/auth/register',
  signUpGuards,
  {
    ...registration,
    summary: 'Create a user and sign in',
    description: 'Give a username, an e-mail address, or both. A new user has exactly the role `user`.',
    returns: Tokens,
    status: 201,
    problems: [...registration.problems, 'email_taken'],
  },
  async (req) => {
    const { device, ...newUser } = req.body;
    const user = await register(newUser);
    return tokensFor(await startSession(user, deviceOf(req, device), 'local'), user);
  },
);

export default [
  isVerificationRequired() ? registerToVerify : registerAndEnter,

  get('/me', [authenticate()], { tag: 'Being in', summary: 'The signed-in user', returns: PublicUser }, (req) => publicUser(req.user)),

  patch(
    '/me',
    [authenticate(), requireFullAccess],
    {
      tag: 'Being in',
      summary: 'Change your names',
      body: Changes,
      returns: PublicUser,
      problems: ['username_taken'],
    },
    async (req) => publicUser(await updateUser(req.user, req.body)),
  ),

  put(
    '/me/password',
    [authenticate(), requireFullAccess, limitPassword],
    {
      tag: 'Being in',
      summary: 'Change your password',
      description: 'Every session ends, this one too: go on with the tokens of the answer.',
      body: z.strictObject({ currentPassword: Password, newPassword: Password }),
      returns: Tokens,
      problems: ['invalid_credentials', 'weak_password', 'busy'],
    },
    async (req) => {
      const { currentPassword, newPassword } = req.body;
      return tokensFor(await changePassword(req.user, currentPassword, newPassword, deviceOf(req)), req.user);
    },
  ),

  del(
    '/me',
    [authenticate(), requireFullAccess, limitPassword],
    {
      tag: 'Being in',
      summary: 'Delete yourself for good',
      description: 'With the password, or without it in the first five minutes of a session. Every session ends.',
      body: z.strictObject({ password: Password.optional() }),
      problems: ['invalid_credentials', 'step_up_required', 'last_admin', 'busy'],
    },
    (req) => deleteUser(req.user, req.body.password),
  ),
];
