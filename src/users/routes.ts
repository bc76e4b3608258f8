import { z } from 'zod';
import { requireOpenSignup } from '#src/http/guards';
import { authenticate } from '#src/http/passport';
import { del, get, patch, post, put } from '#src/http/route';
import { deviceOf, DeviceInput } from '#src/sessions/device';
import { Tokens, tokensFor } from '#src/sessions/schemas';
import { startSession } from '#src/sessions/sessions';
import { changePassword } from '#src/users/change-password';
import { deleteUser, updateUser } from '#src/users/me';
import { register } from '#src/users/register';
import { FreeUsername, Name, needsOne, newUserFields, Password, PublicUser, publicUser, someIdentifier } from '#src/users/schemas';

const Registration = z
  .strictObject({ username: FreeUsername.optional(), ...newUserFields, device: DeviceInput.optional() })
  .refine(someIdentifier, needsOne)
  .meta({ id: 'Registration' });

const Changes = z
  .strictObject({ username: FreeUsername.optional(), name: Name.nullable().optional() })
  .refine((changes) => Object.keys(changes).length > 0, { message: 'Give at least one field to change', params: { code: 'required' } });

export default [
  post(
    '/auth/register',
    [requireOpenSignup],
    {
      tag: 'Entering',
      summary: 'Create a user and sign in',
      description: 'Give a username, an e-mail address, or both. A new user has exactly the role `user`.',
      body: Registration,
      returns: Tokens,
      status: 201,
      problems: ['username_taken', 'email_taken', 'weak_password', 'busy', 'unavailable'],
    },
    async (req) => {
      const { device, ...newUser } = req.body;
      const user = await register(newUser);
      return tokensFor(await startSession(user, deviceOf(req, device), 'local'), user);
    },
  ),

  get('/me', [authenticate()], { tag: 'Being in', summary: 'The signed-in user', returns: PublicUser }, (req) => publicUser(req.user)),

  patch(
    '/me',
    [authenticate()],
    {
      tag: 'Being in',
      summary: 'Change your names',
      body: Changes,
      returns: PublicUser,
      problems: ['username_taken'],
    },
    async (req) => publicUser(await updateUser(req.user.id, req.body)),
  ),

  put(
    '/me/password',
    [authenticate()],
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
    [authenticate()],
    {
      tag: 'Being in',
      summary: 'Delete yourself for good',
      description: 'Asks for the password again. Every session ends.',
      body: z.strictObject({ password: Password }),
      problems: ['invalid_credentials', 'last_admin', 'busy'],
    },
    (req) => deleteUser(req.user.id, req.body.password),
  ),
];
