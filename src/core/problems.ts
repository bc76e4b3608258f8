export type Action = 'fix_request' | 'sign_in' | 'refresh' | 'step_up' | 'verify_email' | 'wait' | 'stop';
type Entry = readonly [status: number, action: Action, title: string, help: string];

/**
 * Every way this server says no (RFC 9457). Codes are public API: add freely, never rename.
 * `action` tells a client what to do next; `help` is what `/problems/<code>` says to a person.
 */
export const problems = {
  invalid_request: [
    400,
    'fix_request',
    'The request does not match the documented shape',
    'Look at `errors`: each entry points at the field that is wrong and says what was expected. Fields that are not documented are refused too. The values you sent are never repeated.',
  ],
  invalid_grant: [
    400,
    'sign_in',
    'This refresh token is not good any more',
    'Look at `reason`: the session `expired`, was ended (`revoked`), this token was spent before and somebody else may hold it (`reused`), or this server does not know it (`unknown`). Erase the tokens only when `sessionStatus` is `ended`, then sign in again.',
  ],
  invalid_code: [
    400,
    'sign_in',
    'This code is not good any more',
    'It was used before, took too long, was asked for by somebody else, or this server does not know it. Begin again.',
  ],
  invalid_state: [
    400,
    'sign_in',
    'This sign-in did not begin in this browser',
    'It took longer than ten minutes, was completed before, or the browser kept no cookie. Go back to the app and sign in again.',
  ],
  token_missing: [
    401,
    'sign_in',
    'This request needs an access token',
    'Send the access token you got when signing in as `Authorization: Bearer <token>`. Tokens in a URL, a form or a cookie are not read.',
  ],
  token_expired: [
    401,
    'refresh',
    'The access token expired',
    'Access tokens live for a few minutes. Get a new one from `POST /auth/refresh`, then repeat the request once.',
  ],
  token_invalid: [
    401,
    'sign_in',
    'The access token is not valid here',
    'It is damaged, was made by another server, or is not an access token. Sign in again.',
  ],
  session_ended: [
    401,
    'sign_in',
    'This session has ended',
    'The session behind this token was signed out, expired, or its user no longer exists. Sign in again.',
  ],
  user_disabled: [
    401,
    'sign_in',
    'This user is disabled',
    'An administrator switched this user off. Only an administrator can switch it on again.',
  ],
  invalid_credentials: [
    401,
    'fix_request',
    'Those credentials are not correct',
    'The name or the password is wrong, or the user may not sign in. The answer is the same for all of these, so that nobody can find out who has an account here.',
  ],
  access_denied: [
    403,
    'sign_in',
    'The sign-in was not completed',
    'The provider did not say who you are: you may have cancelled, or what it sent did not hold. Go back to the app and try again. Whoever runs this server finds the reason in its log.',
  ],
  email_unverified: [
    403,
    'verify_email',
    'Your e-mail address is not confirmed yet',
    'Follow the link in the mail that you got when you signed up, or type its code. `POST /auth/email/verify/resend` sends another one.',
  ],
  step_up_required: [
    403,
    'step_up',
    'Please prove again who you are',
    'This needs a sign-in that is not long ago. Send your password to `POST /auth/reauthenticate`, or sign in again, and repeat the request.',
  ],
  forbidden: [
    403,
    'stop',
    'You are not allowed to do this',
    'You are signed in, but `required` names something you do not have. Repeating the request will not help; an administrator can grant the role.',
  ],
  not_found: [404, 'fix_request', 'There is nothing here', 'The path does not exist, or what it names does not exist or is not yours.'],
  method_not_allowed: [405, 'fix_request', 'This path does not know that method', 'The `Allow` header lists the methods it knows.'],
  request_timeout: [408, 'fix_request', 'The request took too long to arrive', 'Send headers and body without long pauses.'],
  payload_too_large: [413, 'fix_request', 'The request body is too large', 'A request body may have up to 16 kB.'],
  unsupported_media_type: [
    415,
    'fix_request',
    'The request body must be JSON',
    'Send `Content-Type: application/json`, encoded as UTF-8 and not compressed.',
  ],
  headers_too_large: [431, 'fix_request', 'The request headers are too large', 'All headers together may have up to 16 kB.'],
  username_taken: [409, 'fix_request', 'This username is taken', 'Choose another username. Upper and lower case count as the same.'],
  email_taken: [
    409,
    'fix_request',
    'This e-mail address is taken',
    'There is a user with this address already. Sign in, or use another address.',
  ],
  already_linked: [
    409,
    'fix_request',
    'This belongs to a user here already',
    'When signing in with a provider: there is a user with your e-mail address, and nobody has proved that it is yours. Sign in as you did before, then link the provider at `POST /me/identities/{provider}`. When linking: this account of yours at the provider is linked to another user here.',
  ],
  last_way_in: [
    409,
    'fix_request',
    'This is your last way in',
    'Set a password or link another provider first: without this one you could not sign in any more.',
  ],
  conflict: [
    409,
    'fix_request',
    'This cannot be done as things are',
    'There are too many of these already, or somebody else was faster. Look again.',
  ],
  last_admin: [409, 'fix_request', 'The last active administrator must stay', 'Give somebody else the role `admin` first.'],
  weak_password: [
    422,
    'fix_request',
    'This password is too easy to guess',
    'Look at `errors` for the reasons. Longer is better; any character is welcome, spaces too.',
  ],
  rate_limited: [
    429,
    'wait',
    'Too many requests',
    'This was asked for too often in too short a time. Wait as many seconds as `Retry-After` says, then try again.',
  ],
  internal: [
    500,
    'wait',
    'Something went wrong on our side',
    'The cause is in the server log under the `requestId` of the answer. Please report that id.',
  ],
  busy: [
    503,
    'wait',
    'The server is busy',
    'Too many passwords are being checked at once. Wait as long as `Retry-After` says, then try again.',
  ],
  unavailable: [
    503,
    'wait',
    'The server cannot answer right now',
    'Something it depends on does not answer, or it is shutting down. Wait as long as `Retry-After` says, then try again.',
  ],
} as const satisfies Record<string, Entry>;
