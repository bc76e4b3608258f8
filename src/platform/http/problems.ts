import { accessProblems, type Entry } from '#src/platform/http/access-problems';
import { inWords, lifetimes } from '#src/lifetimes';

/**
 * Every refusal of this server (RFC 9457). Codes are public API: add freely, never rename.
 * `action` tells a client what to do next. `help` is what `/problems/<code>` says to a person.
 */
export const problems = {
  invalid_request: [
    400,
    'fix_request',
    'The request does not match the documented shape',
    'Look at `errors`: each entry names the field that is wrong and says what was expected. Fields that are not documented are refused, too. The values that you sent are never repeated.',
  ],
  invalid_grant: [
    400,
    'sign_in',
    'This refresh token is not good any more',
    'Look at `reason`. `expired`: the session was not refreshed in time. `revoked`: the session was ended. `reused`: this token was used before, and somebody else may hold a copy. `unknown`: this server does not know the token. `key`: the token is bound to a key, and no proof by that key came with it. `missing`: the browser sent no cookie with a token. Erase the tokens only if `sessionStatus` is `ended`. Then sign in again.',
  ],
  invalid_code: [
    400,
    'sign_in',
    'This code is not good any more',
    'The code was used before, has expired, was made for somebody else, or is not known here. Start again.',
  ],
  unsupported_grant_type: [
    400,
    'fix_request',
    'This grant type is not known here',
    'The token endpoint takes `authorization_code`, `refresh_token` and `client_credentials` (RFC 6749). Nobody signs in with a password there.',
  ],
  invalid_scope: [
    400,
    'fix_request',
    'The service does not have this scope',
    'Ask for scopes of the service only, or for none: then the token has all of them.',
  ],
  passkey_refused: [
    400,
    'fix_request',
    'This passkey was refused',
    'The challenge was used before, has expired or is of somebody else; or what the browser answered does not belong to it: another page (PASSKEY_ORIGINS), another domain, an authenticator that did not verify its user, or a key of another kind. The log of the server says which. Get new options, and try again.',
  ],
  invalid_state: [
    400,
    'sign_in',
    'This sign-in did not begin in this browser',
    `The sign-in took longer than ${inWords(lifetimes.authorizationRequestSeconds)}, was completed before, or the browser kept no cookie. Go back to the app and sign in again.`,
  ],
  ...accessProblems,
  no_signing_keys: [
    409,
    'stop',
    'This server has no keys that rotate',
    'With JWT_ALG=HS256 the key is JWT_SECRET. Whoever runs the server sets another one.',
  ],
  not_found: [
    404,
    'fix_request',
    'There is nothing here',
    'The path does not exist, or the thing it names does not exist or is not yours.',
  ],
  method_not_allowed: [
    405,
    'fix_request',
    'This path does not know that method',
    'The header `Allow` lists the methods that this path knows.',
  ],
  request_timeout: [
    408,
    'fix_request',
    'The request took too long to arrive',
    'Send headers and body without long pauses.',
  ],
  payload_too_large: [
    413,
    'fix_request',
    'The request body is too large',
    'A request body may have up to 16 kB.',
  ],
  unsupported_media_type: [
    415,
    'fix_request',
    'The request body must be JSON',
    'Send `Content-Type: application/json`, encoded as UTF-8 and not compressed.',
  ],
  headers_too_large: [
    431,
    'fix_request',
    'The request headers are too large',
    'All headers together may have up to 16 kB.',
  ],
  username_taken: [
    409,
    'fix_request',
    'This username is taken',
    'Choose another username. Upper and lower case count as the same.',
  ],
  email_taken: [
    409,
    'fix_request',
    'This e-mail address is taken',
    'Another user has this address. Sign in, or use another address.',
  ],
  already_linked: [
    409,
    'fix_request',
    'This belongs to a user here already',
    'At sign-in with a provider: a user has your e-mail address, and nobody has proved that it is yours. Sign in as you did before. Then link the provider at `POST /me/identities/{provider}`. With a code by mail: the user who has your address has more roles than `user`, and must confirm it before. When you link a provider: your account there is linked to another user here.',
  ],
  last_way_in: [
    409,
    'fix_request',
    'This is the last way in',
    'Without it nobody could sign in to this account any more. Set a password, or link another provider first. An administrator leaves a user a username or an e-mail address.',
  ],
  conflict: [
    409,
    'fix_request',
    'This cannot be done as things are',
    'There are too many of these already, or another request was faster. Read the current state, then decide again.',
  ],
  last_factor: [
    409,
    'fix_request',
    'Your last second factor must stay',
    'A role of yours requires a second factor. Add another one first.',
  ],
  factor_unreadable: [
    409,
    'fix_request',
    'This authenticator app cannot be used any more',
    'The server cannot read the secret that it shares with your app, because whoever runs it has replaced APP_SECRET. No code is right, and none counts as a wrong one. Use a recovery code or another second factor. Then remove the app from your account, and add it again. If you have nothing else, ask an administrator to remove your second factors.',
  ],
  last_admin: [
    409,
    'fix_request',
    'The last active administrator must stay',
    'Give another user the role `admin` first.',
  ],
  protected_role: [
    409,
    'stop',
    'This role must stay as it is',
    'The server needs the roles `user`, `moderator` and `admin`: they cannot be deleted. `admin` has every permission, always. Make a role of your own instead.',
  ],
  precondition_failed: [
    412,
    'fix_request',
    'Somebody else was faster',
    'What you want to change is not as you have seen it: the `ETag` that you sent in `If-Match` is of an earlier state. Nothing was changed. Read it again, and decide again.',
  ],
  weak_password: [
    422,
    'fix_request',
    'This password is too easy to guess',
    'Look at `errors` for the reasons. A longer password is better. Any character is allowed, spaces too.',
  ],
  rate_limited: [
    429,
    'wait',
    'Too many requests',
    'There were too many such requests in a short time. Wait as many seconds as `Retry-After` says. Then try again.',
  ],
  server_error: [
    503,
    'stop',
    'This server and the provider do not understand each other',
    'The provider refused this server, or this server could not use what it answered. Trying again will not help. The log of this server names the reason, and `sallyport doctor` checks the settings.',
  ],
  internal: [
    500,
    'wait',
    'Something went wrong on our side',
    'The log of the server has the cause under the `requestId` of the answer. Please report that id.',
  ],
  busy: [
    503,
    'wait',
    'The server is busy',
    'Too many passwords are being checked at once. Wait as long as `Retry-After` says. Then try again.',
  ],
  unavailable: [
    503,
    'wait',
    'The server cannot answer right now',
    'A service that it depends on does not answer, or it is shutting down. Wait as long as `Retry-After` says. Then try again.',
  ],
} as const satisfies Record<string, Entry>;

/** What a client does next. */
export type Action = (typeof problems)[keyof typeof problems][1];
