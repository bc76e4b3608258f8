export type Entry = readonly [status: number, action: string, title: string, help: string];

/** The refusals about who somebody is (401) and what they may do (403): a part of `problems`. */
export const accessProblems = {
  token_missing: [
    401,
    'sign_in',
    'This request needs an access token',
    'Send the access token that you got at sign-in as `Authorization: Bearer <token>`. Tokens in a URL, a form or a cookie are not read.',
  ],
  token_expired: [
    401,
    'refresh',
    'The access token expired',
    'An access token lives for a few minutes. Get a new one from `POST /auth/refresh`. Then repeat the request once.',
  ],
  token_invalid: [
    401,
    'sign_in',
    'The access token is not valid here',
    'The token is damaged, was made by another server, or is not an access token. Sign in again.',
  ],
  session_ended: [
    401,
    'sign_in',
    'This session has ended',
    'The session of this token was signed out or has expired, or its user was deleted. Sign in again.',
  ],
  user_disabled: [
    401,
    'sign_in',
    'This user is disabled',
    'An administrator disabled this user. Only an administrator can enable it again.',
  ],
  invalid_dpop_proof: [
    401,
    'fix_request',
    'The proof of possession is missing, wrong, or was used before',
    'The tokens of this session are bound to a key (RFC 9449). Send `Authorization: DPoP <token>` and a new `DPoP` header with each request, signed by that key: with the method, the address without query, the digest of the access token (`ath`), and the nonce of the last answer. The key of another device does not do.',
  ],
  use_dpop_nonce: [
    401,
    'fix_request',
    'The proof of possession needs a nonce of this server',
    'Make another proof with the `nonce` that the header `DPoP-Nonce` names, and repeat the request. Each answer has the nonce for the next proof.',
  ],
  invalid_credentials: [
    401,
    'fix_request',
    'Those credentials are not correct',
    'The name or the password is wrong, or the user may not sign in. The answer is always the same, so it does not tell who has an account.',
  ],
  access_denied: [
    403,
    'sign_in',
    'The sign-in was not completed',
    'You cancelled at the provider, or it does not let you in. Go back to the app and try again. The log of this server names the reason.',
  ],
  interaction_required: [
    403,
    'sign_in',
    'The provider wants to see you',
    'The app asked the provider not to show any page (`prompt=none`), and the provider needs you to sign in, to choose an account or to agree. Start again without `prompt=none`.',
  ],
  invalid_client: [
    401,
    'stop',
    'This service is not known, or its secret is wrong',
    'Send the id and the secret of a service as `Authorization: Basic` (RFC 6749 §2.3.1), and nowhere else. An administrator makes services, and new secrets: `sallyport service create`, `sallyport service rotate-secret`.',
  ],
  unauthorized_client: [
    403,
    'stop',
    'This service may not do this',
    'The service lacks the scope that `required` names. An administrator can grant it: `sallyport service update`.',
  ],
  email_unverified: [
    403,
    'verify_email',
    'Your e-mail address is not confirmed yet',
    'Open the link in the mail that you got when you signed up, or enter its code. `POST /auth/email/verify/resend` sends another mail.',
  ],
  mfa_required: [
    403,
    'second_factor',
    'A second factor is needed',
    'What you gave is right, and this user has a second factor. Send `mfaToken` and one of the `factors` to `POST /auth/mfa`: a code of the authenticator app, or a recovery code. Without `mfaToken`, this way to sign in cannot ask for it: use another one, or an API key.',
  ],
  step_up_required: [
    403,
    'step_up',
    'Please prove again who you are',
    'This needs a recent sign-in: `maxAge` says how recent, in seconds. With `acrValues`, it needs a second factor, too. Prove who you are at `POST /auth/reauthenticate`, or sign in again. Then repeat the request.',
  ],
  mfa_enrollment_required: [
    403,
    'enroll_factor',
    'You need a second factor',
    'A role of yours requires a second factor, and you have none. Until you have enrolled one at `/me/factors`, you can only do that, see who you are, and sign out.',
  ],
  forbidden: [
    403,
    'stop',
    'You are not allowed to do this',
    'You are signed in, but you lack what `required` names. Repeating the request will not help. An administrator can grant a role.',
  ],
  impersonated: [
    403,
    'stop',
    'Nobody may do this in the name of somebody else',
    'You are acting for this user (impersonation). What governs the account is left to the user: how they sign in, their names and addresses, their other sessions, the data about them, and what administrators do. Sign out, and do it as yourself, or ask the user to do it.',
  ],
  origin_refused: [
    403,
    'fix_request',
    'This request does not come from a page of this server',
    'The form of a page must be sent by that page: open it at PUBLIC_URL, and try again. With `X-Refresh-Token: cookie`, the refresh token is a cookie, and browsers send cookies whoever asks. In both cases the header `Origin` must be the origin of PUBLIC_URL, and `Sec-Fetch-Site`, if it is sent, `same-origin`. A page of another origin leaves `X-Refresh-Token` out, and stores its refresh token itself.',
  ],
  signup_closed: [
    403,
    'stop',
    'Sign-up is closed here',
    'This server makes no new users for strangers. If you have an account, sign in with it. If not, ask whoever runs this server for one.',
  ],
} as const satisfies Record<string, Entry>;
