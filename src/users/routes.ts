import { z } from 'zod';
import { requireOpenSignup } from '#src/http/guards';
import { authenticate } from '#src/http/passport';
import { del, get, patch, post } from '#src/http/route';
import { deviceOf, DeviceInput } from '#src/sessions/device';
import { Tokens, tokensFor } from '#src/sessions/schemas';
import { startSession } from '#src/sessions/sessions';
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
