// Written by `vitest run -u client-types` from the OpenAPI document. Change the routes, not this file.

/** Every endpoint that answers JSON or nothing, by its method and path. */
export interface Endpoints {
  /** Create a user and sign in */
  'POST /auth/register': {
    body: Registration;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Get new tokens for a refresh token */
  'POST /auth/refresh': {
    body?: RefreshInput;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Sign out */
  'POST /auth/logout': {
    body?: SignOutInput;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
  };
  /** List your sessions */
  'GET /me/sessions': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. */
      cursor?: string | undefined;
    };
    returns: ListedSessionPage;
  };
  /** Sign out everywhere else */
  'DELETE /me/sessions': {};
  /** End one of your sessions */
  'DELETE /me/sessions/{id}': {
    params: {
      id: string;
    };
  };
  /** The signed-in user */
  'GET /me': {
    returns: OwnUser;
  };
  /** Change your names and your language */
  'PATCH /me': {
    body: UserChanges;
    returns: OwnUser;
  };
  /** Delete yourself for good */
  'DELETE /me': {
    body: UserDeletion;
  };
  /** Export everything the server knows of you */
  'GET /me/export': {
    returns: UserExport;
  };
  /** Change your password */
  'PUT /me/password': {
    body: PasswordChange;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Ask for a new password */
  'POST /auth/password/forgot': {
    body: EmailOnly;
  };
  /** Choose a new password */
  'POST /auth/password/reset': {
    body: PasswordReset;
  };
  /** Confirm an e-mail address */
  'POST /auth/email/verify': {
    body: EmailVerification;
  };
  /** Get that mail again */
  'POST /auth/email/verify/resend': {
    body: EmailOnly;
  };
  /** Take the old e-mail address back */
  'POST /auth/email/restore': {
    body: EmailRestoration;
  };
  /** Your e-mail address, and the one that waits to be confirmed */
  'GET /me/email': {
    returns: OwnEmail;
  };
  /** Change your e-mail address */
  'POST /me/email': {
    body: EmailChange;
  };
  /** Get tokens for the code of a redirect */
  'POST /auth/exchange': {
    body: CodeExchange;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Providers you can sign in with */
  'GET /me/identities': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. */
      cursor?: string | undefined;
    };
    returns: IdentityPage;
  };
  /** Unlink a provider */
  'DELETE /me/identities/{id}': {
    params: {
      id: string;
    };
  };
  /** Finish a sign-in with a second factor */
  'POST /auth/mfa': {
    body: SecondFactor;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** What a second factor needs before it can answer */
  'POST /auth/mfa/options': {
    body: SecondFactorRequest;
    returns: SecondFactorOptions;
  };
  /** Prove again who you are */
  'POST /auth/reauthenticate': {
    body: Reauthentication;
  };
  /** What a second factor needs before you prove again who you are */
  'POST /auth/reauthenticate/options': {
    returns: SecondFactorOptions;
  };
  /** Begin to add a passkey */
  'POST /me/factors/passkeys/options': {
    returns: NewPasskeyOptions;
  };
  /** Add a passkey */
  'POST /me/factors/passkeys': {
    body: NewPasskey;
    returns: ConfirmedFactor;
  };
  /** List your second factors */
  'GET /me/factors': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. */
      cursor?: string | undefined;
    };
    returns: FactorPage;
  };
  /** Begin to add an authenticator app */
  'POST /me/factors/totp': {
    body?: NewTotpFactor;
    returns: PendingTotpFactor;
  };
  /** Add the authenticator app */
  'POST /me/factors/totp/{id}/confirm': {
    body: TotpConfirmation;
    params: {
      id: string;
    };
    returns: ConfirmedFactor;
  };
  /** Get new recovery codes */
  'POST /me/factors/recovery-codes': {
    returns: RecoveryCodes;
  };
  /** Rename a second factor */
  'PATCH /me/factors/{id}': {
    body: FactorChanges;
    params: {
      id: string;
    };
    returns: Factor;
  };
  /** Remove a second factor */
  'DELETE /me/factors/{id}': {
    params: {
      id: string;
    };
  };
  /** List users */
  'GET /admin/users': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
      /** Part of a username or e-mail address. Every character means itself. The server reads 10000 users for each page, so a page may be short or empty: go on while there is a `nextCursor`. A user whose whole username or address it is comes first, on the first page. */
      q?: string | undefined;
      /** Only users with this role. */
      role?: string | undefined;
      /** Only users who are disabled, or who are not. The server reads 10000 users for each page, so a page may be short or empty: go on while there is a `nextCursor`. */
      disabled?: 'true' | 'false' | undefined;
      /** Only users whose e-mail address is confirmed, or all others. The server reads 10000 users for each page, so a page may be short or empty: go on while there is a `nextCursor`. */
      verified?: 'true' | 'false' | undefined;
      /** `id`: in the order in which they came to this server. `created`: by `createdAt`, which may be earlier for users from elsewhere. With `-` the last one comes first. Without it: `id`. */
      sort?: 'id' | '-id' | 'created' | '-created' | undefined;
    };
    returns: AdminUserPage;
  };
  /** Invite somebody by mail */
  'POST /admin/users': {
    body: NewInvitation;
    returns: Invitation;
  };
  /** Remove all second factors of a user */
  'DELETE /admin/users/{id}/factors': {
    params: {
      id: string;
    };
  };
  /** List roles and their permissions */
  'GET /admin/roles': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
    };
    returns: RolePage;
  };
  /** A role and its permissions */
  'GET /admin/roles/{role}': {
    params: {
      role: string;
    };
    returns: Role;
  };
  /** Create a role, or replace its permissions */
  'PUT /admin/roles/{role}': {
    body: WholeRole;
    params: {
      role: string;
    };
    headers?: {
      /** The `ETag` of the state that you have seen. If there is another one by now, nothing is changed and the answer is `precondition_failed`. Without it, the last change wins. */
      'If-Match'?: string | undefined;
    };
    returns: Role;
  };
  /** Delete a role, and take it from everybody */
  'DELETE /admin/roles/{role}': {
    params: {
      role: string;
    };
  };
  /** Give a user a role */
  'PUT /admin/users/{id}/roles/{role}': {
    params: {
      id: string;
      role: string;
    };
  };
  /** Take a role from a user */
  'DELETE /admin/users/{id}/roles/{role}': {
    params: {
      id: string;
      role: string;
    };
  };
  /** List the audit trail, the newest first */
  'GET /admin/audit': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
      /** The user who did it. */
      actor?: string | undefined;
      /** The user whom it is about. */
      subject?: string | undefined;
      /** The event. */
      type?: string | undefined;
      /** Not before this time (RFC 3339). */
      after?: string | undefined;
      /** Before this time (RFC 3339). */
      before?: string | undefined;
    };
    returns: AuditEntryPage;
  };
  /** Verify the audit trail */
  'GET /admin/audit/verify': {
    query?: {
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
    };
    returns: AuditVerification;
  };
  /** List webhooks */
  'GET /admin/webhooks': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
    };
    returns: WebhookPage;
  };
  /** Create a webhook */
  'POST /admin/webhooks': {
    body: NewWebhook;
    returns: CreatedWebhook;
  };
  /** Show a webhook */
  'GET /admin/webhooks/{id}': {
    params: {
      id: string;
    };
    returns: Webhook;
  };
  /** Change a webhook, or switch it on or off */
  'PATCH /admin/webhooks/{id}': {
    body?: WebhookChanges;
    params: {
      id: string;
    };
    headers?: {
      /** The `ETag` of the state that you have seen. If there is another one by now, nothing is changed and the answer is `precondition_failed`. Without it, the last change wins. */
      'If-Match'?: string | undefined;
    };
    returns: Webhook;
  };
  /** Delete a webhook and its deliveries */
  'DELETE /admin/webhooks/{id}': {
    params: {
      id: string;
    };
  };
  /** Replace the secret of a webhook */
  'POST /admin/webhooks/{id}/secret': {
    body?: SecretRotation;
    params: {
      id: string;
    };
    returns: CreatedWebhook;
  };
  /** Send the event `webhook.test` */
  'POST /admin/webhooks/{id}/test': {
    params: {
      id: string;
    };
    returns: WebhookDelivery;
  };
  /** List what a webhook was told, and is to be told */
  'GET /admin/webhooks/{id}/deliveries': {
    params: {
      id: string;
    };
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
      state?: 'pending' | 'delivered' | 'failed' | undefined;
    };
    returns: WebhookDeliveryPage;
  };
  /** Deliver an event once more */
  'POST /admin/webhooks/{id}/deliveries/{deliveryId}/redeliver': {
    params: {
      id: string;
      deliveryId: string;
    };
    returns: WebhookDelivery;
  };
  /** List services */
  'GET /admin/services': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
    };
    returns: ServicePage;
  };
  /** Create a service */
  'POST /admin/services': {
    body: NewService;
    returns: CreatedService;
  };
  /** Show a service */
  'GET /admin/services/{id}': {
    params: {
      id: string;
    };
    returns: Service;
  };
  /** Change the name or the scopes of a service */
  'PATCH /admin/services/{id}': {
    body?: ServiceChanges;
    params: {
      id: string;
    };
    headers?: {
      /** The `ETag` of the state that you have seen. If there is another one by now, nothing is changed and the answer is `precondition_failed`. Without it, the last change wins. */
      'If-Match'?: string | undefined;
    };
    returns: Service;
  };
  /** Delete a service */
  'DELETE /admin/services/{id}': {
    params: {
      id: string;
    };
  };
  /** Replace the secret of a service */
  'POST /admin/services/{id}/secret': {
    body?: ServiceSecretRotation;
    params: {
      id: string;
    };
    returns: CreatedService;
  };
  /** A user, and how they sign in */
  'GET /admin/users/{id}': {
    params: {
      id: string;
    };
    returns: AdminUserDetails;
  };
  /** Change a user, disable or enable them */
  'PATCH /admin/users/{id}': {
    body: UserEdits;
    params: {
      id: string;
    };
    headers?: {
      /** The `ETag` of the state that you have seen. If there is another one by now, nothing is changed and the answer is `precondition_failed`. Without it, the last change wins. */
      'If-Match'?: string | undefined;
    };
    returns: AdminUser;
  };
  /** Delete a user for good, with all that is theirs */
  'DELETE /admin/users/{id}': {
    params: {
      id: string;
    };
  };
  /** List the sessions of a user */
  'GET /admin/users/{id}/sessions': {
    params: {
      id: string;
    };
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
    };
    returns: ListedSessionPage;
  };
  /** Sign a user out everywhere */
  'DELETE /admin/users/{id}/sessions': {
    params: {
      id: string;
    };
  };
  /** End one session of a user */
  'DELETE /admin/users/{id}/sessions/{sessionId}': {
    params: {
      id: string;
      sessionId: string;
    };
  };
  /** Let a user in whom failed sign-ins keep out */
  'DELETE /admin/users/{id}/lock': {
    params: {
      id: string;
    };
  };
  /** Mail a user the link that sets a new password */
  'POST /admin/users/{id}/password-reset': {
    body?: PasswordResetRequest;
    params: {
      id: string;
    };
  };
  /** List invitations that nobody has accepted */
  'GET /admin/invitations': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
    };
    returns: InvitationPage;
  };
  /** Send an invitation again */
  'POST /admin/invitations/{id}/resend': {
    params: {
      id: string;
    };
    returns: Invitation;
  };
  /** Take an invitation back */
  'DELETE /admin/invitations/{id}': {
    params: {
      id: string;
    };
  };
  /** Accept an invitation and sign in */
  'POST /auth/invitation': {
    body: InvitationAcceptance;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Count users, sessions, sign-ins and limits that were reached */
  'GET /admin/stats': {
    query?: {
      days?: number | undefined;
      hours?: number | undefined;
    };
    returns: Stats;
  };
  /** List the settings in force */
  'GET /admin/settings': {
    returns: Settings;
  };
  /** Make the next signing key */
  'POST /admin/keys/rotate': {
    body?: KeyRotation;
    returns: NextKey;
  };
  /** List the mails that wait to be sent */
  'GET /admin/mails': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. It is good for this list only, with the same filters and the same order. */
      cursor?: string | undefined;
    };
    returns: QueuedMailPage;
  };
  /** Send a mail now that waits for its next attempt */
  'POST /admin/mails/{id}/retry': {
    params: {
      id: string;
    };
    returns: QueuedMail;
  };
  /** Delete a mail that is not to be sent */
  'DELETE /admin/mails/{id}': {
    params: {
      id: string;
    };
  };
  /** Act for a user */
  'POST /admin/users/{id}/impersonate': {
    body: Impersonation;
    params: {
      id: string;
    };
    returns: ImpersonationTokens;
  };
  /** Wait for changes of sessions, users and roles */
  'GET /oauth/changes': {
    query?: {
      /** `cursor` of the answer before. Leave it out to begin. */
      after?: string | undefined;
      /** How many seconds to wait for a change. */
      wait?: number | undefined;
    };
    returns: ChangeList;
  };
  /** Get the keys that sign access tokens */
  'GET /.well-known/jwks.json': {
    returns: JwkSet;
  };
  /** Is the process alive? */
  'GET /livez': {
    returns: HealthStatus;
  };
  /** Can it answer requests? Asks the database. */
  'GET /readyz': {
    returns: HealthStatus;
  };
  /** Get the pages where people make and manage passkeys */
  'GET /.well-known/passkey-endpoints': {
    returns: PasskeyEndpoints;
  };
  /** Get what OAuth clients need to know of this server */
  'GET /.well-known/oauth-authorization-server': {
    returns: ServerMetadata;
  };
  /** List the ways to sign in that are switched on */
  'GET /auth/strategies': {
    returns: Strategies;
  };
  /** Sign in with an ID token that Apple gave to your app */
  'POST /auth/apple-native': {
    body: AppleIdToken;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Sign in with a code that a mail brings */
  'POST /auth/email-code': {
    body: EmailCodeCredentials;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Ask for a code by mail */
  'POST /auth/email-code/request': {
    body: EmailCodeRequest;
    returns: EmailCodeRequested;
  };
  /** Sign in with an ID token that Google gave to your app */
  'POST /auth/google-native': {
    body: GoogleIdToken;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Sign in with your directory (LDAP) password */
  'POST /auth/ldap': {
    body: LdapCredentials;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Sign in with a username or e-mail address and a password */
  'POST /auth/login': {
    body: Credentials;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Sign in with a passkey */
  'POST /auth/passkey': {
    body: PasskeySignIn;
    headers?: {
      /** For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body. */
      'X-Refresh-Token'?: 'cookie' | undefined;
    };
    returns: Tokens;
  };
  /** Get what a browser or phone needs to sign in with a passkey */
  'POST /auth/passkey/options': {
    body?: PasskeySignInRequest;
    returns: PasskeySignInOptions;
  };
  /** Link apple-native to your user */
  'POST /me/identities/apple-native': {
    body: AppleIdToken;
    returns: Identity;
  };
  /** Link google-native to your user */
  'POST /me/identities/google-native': {
    body: GoogleIdToken;
    returns: Identity;
  };
  /** Link ldap to your user */
  'POST /me/identities/ldap': {
    body: LdapCredentials;
    returns: Identity;
  };
  /** List your API keys */
  'GET /me/api-keys': {
    query?: {
      limit?: number | undefined;
      /** `nextCursor` of the page before. */
      cursor?: string | undefined;
    };
    returns: ApiKeyPage;
  };
  /** Create an API key */
  'POST /me/api-keys': {
    body: NewApiKey;
    returns: CreatedApiKey;
  };
  /** Delete an API key */
  'DELETE /me/api-keys/{id}': {
    params: {
      id: string;
    };
  };
  /** Ask what an access token is good for */
  'POST /oauth/introspect': {
    returns: Introspection;
  };
  /** End the session of a token */
  'POST /oauth/revoke': {};
  /** Get tokens as an OAuth client */
  'POST /oauth/token': {
    returns: TokenResponse;
  };
}

/** The code of every refusal, and what to do next. */
export interface Actions {
  /** The request does not match the documented shape */
  invalid_request: 'fix_request';
  /** This refresh token is not good any more */
  invalid_grant: 'sign_in';
  /** This code is not good any more */
  invalid_code: 'sign_in';
  /** This grant type is not known here */
  unsupported_grant_type: 'fix_request';
  /** The service does not have this scope */
  invalid_scope: 'fix_request';
  /** This passkey was refused */
  passkey_refused: 'fix_request';
  /** This sign-in did not begin in this browser */
  invalid_state: 'sign_in';
  /** This request needs an access token */
  token_missing: 'sign_in';
  /** The access token expired */
  token_expired: 'refresh';
  /** The access token is not valid here */
  token_invalid: 'sign_in';
  /** This session has ended */
  session_ended: 'sign_in';
  /** This user is disabled */
  user_disabled: 'sign_in';
  /** The proof of possession is missing, wrong, or was used before */
  invalid_dpop_proof: 'fix_request';
  /** The proof of possession needs a nonce of this server */
  use_dpop_nonce: 'fix_request';
  /** Those credentials are not correct */
  invalid_credentials: 'fix_request';
  /** The sign-in was not completed */
  access_denied: 'sign_in';
  /** The provider wants to see you */
  interaction_required: 'sign_in';
  /** This service is not known, or its secret is wrong */
  invalid_client: 'stop';
  /** This service may not do this */
  unauthorized_client: 'stop';
  /** Your e-mail address is not confirmed yet */
  email_unverified: 'verify_email';
  /** A second factor is needed */
  mfa_required: 'second_factor';
  /** Please prove again who you are */
  step_up_required: 'step_up';
  /** You need a second factor */
  mfa_enrollment_required: 'enroll_factor';
  /** You are not allowed to do this */
  forbidden: 'stop';
  /** Nobody may do this in the name of somebody else */
  impersonated: 'stop';
  /** This request does not come from a page of this server */
  origin_refused: 'fix_request';
  /** Sign-up is closed here */
  signup_closed: 'stop';
  /** This server has no keys that rotate */
  no_signing_keys: 'stop';
  /** There is nothing here */
  not_found: 'fix_request';
  /** This path does not know that method */
  method_not_allowed: 'fix_request';
  /** The request took too long to arrive */
  request_timeout: 'fix_request';
  /** The request body is too large */
  payload_too_large: 'fix_request';
  /** The request body must be JSON */
  unsupported_media_type: 'fix_request';
  /** The request headers are too large */
  headers_too_large: 'fix_request';
  /** This username is taken */
  username_taken: 'fix_request';
  /** This e-mail address is taken */
  email_taken: 'fix_request';
  /** This belongs to a user here already */
  already_linked: 'fix_request';
  /** This is the last way in */
  last_way_in: 'fix_request';
  /** This cannot be done as things are */
  conflict: 'fix_request';
  /** Your last second factor must stay */
  last_factor: 'fix_request';
  /** This authenticator app cannot be used any more */
  factor_unreadable: 'fix_request';
  /** The last active administrator must stay */
  last_admin: 'fix_request';
  /** This role must stay as it is */
  protected_role: 'stop';
  /** Somebody else was faster */
  precondition_failed: 'fix_request';
  /** This password is too easy to guess */
  weak_password: 'fix_request';
  /** Too many requests */
  rate_limited: 'wait';
  /** This server and the provider do not understand each other */
  server_error: 'stop';
  /** Something went wrong on our side */
  internal: 'wait';
  /** The server is busy */
  busy: 'wait';
  /** The server cannot answer right now */
  unavailable: 'wait';
}

export interface AdminUser {
  id: string;
  username: string | null;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  roles: readonly (string)[];
  locale: 'en' | 'de' | 'fr' | 'es' | 'pt' | 'ja' | 'ar' | null;
  disabled: boolean;
  createdAt: string;
}

export interface AdminUserDetails {
  id: string;
  username: string | null;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  roles: readonly (string)[];
  locale: 'en' | 'de' | 'fr' | 'es' | 'pt' | 'ja' | 'ar' | null;
  disabled: boolean;
  createdAt: string;
  hasPassword: boolean;
  factors: readonly (Factor)[];
  recoveryCodesLeft: number;
  /** Accounts of providers that the user signs in with. */
  identities: readonly (Identity)[];
  /** Those that live, the newest first. */
  sessions: readonly (ListedSession)[];
  /** How many. */
  apiKeys: number;
  /** Failed sign-ins that are not forgotten yet. */
  loginFailures: readonly ({
    /** `sign_in`, `second_factor`, or the name of a provider with accounts of its own. */
    of: string;
    /** A network that the user has signed in from, which is counted apart. Null: all others together. */
    network: string | null;
    count: number;
    /** Until then every sign-in from there is refused. Null: it is tried. */
    lockedUntil: string | null;
  })[];
}

export interface AdminUserPage {
  data: readonly (AdminUser)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface ApiKey {
  id: string;
  name: string;
  scopes: readonly (string)[];
  /** The last four characters of the key. */
  last4: string;
  expiresAt: string | null;
  /** To the minute. */
  lastUsedAt: string | null;
  createdAt: string;
}

export interface ApiKeyPage {
  data: readonly (ApiKey)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface AppleIdToken {
  /** The ID token that the SDK of Apple gave to your app. It works once. */
  idToken: string;
  /** The nonce that your app made for this sign-in. If it gave the provider its SHA-256 in hexadecimal, send the nonce itself. Required if the ID token has one. */
  nonce?: string | undefined;
  device?: Device | undefined;
}

export interface AssertedCredential {
  id: string;
  rawId: string;
  type: 'public-key';
  response: {
    clientDataJSON: string;
    authenticatorData: string;
    signature: string;
    userHandle?: string | null | undefined;
  };
}

export interface AuditEntry {
  /** The place in the trail. Null for a moment, until the entry is sealed. */
  seq: number | null;
  id: string;
  /** The event. */
  type: string;
  version: number;
  /** The user or service who did it, if one did. */
  actor: string | null;
  /** `user`, `service`, `anonymous`, `cli`, `server`, or `app` for code that embeds the server. */
  actorKind: string;
  onBehalfOf: string | null;
  /** The user whom it is about. */
  subject: string | null;
  sessionId: string | null;
  ip: string | null;
  requestId: string | null;
  details: Record<string, unknown>;
  createdAt: string;
}

export interface AuditEntryPage {
  data: readonly (AuditEntry)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface AuditVerification {
  ok: boolean;
  entries: number;
  firstSeq: number;
  lastSeq: number;
  lastHash: string;
  faults: readonly ({
    fault: string;
    seq: number | null;
    to?: number | undefined;
    id?: string | undefined;
    day?: string | undefined;
  })[];
  nextCursor: string | null;
}

export interface Change {
  /** The event. There may be more. */
  type: string;
  /** When it happened. */
  at: string;
  /** The session that it is about. */
  sessionId?: string | undefined;
  /** The user whom it is about: all their sessions. */
  userId?: string | undefined;
  /** The role. Without `userId`: everybody who has it. */
  role?: string | undefined;
}

export interface ChangeList {
  /** The cursor that was asked with. */
  after: string | null;
  /** Send it as `after` next time. */
  cursor: string;
  /** Begin anew: forget what you know of every session. True for the first answer, and for a cursor that is too old or of another database. */
  reset: boolean;
  changes: readonly (Change)[];
  /** There is more. Ask again at once. */
  more: boolean;
  /** How long after your question the server looked for the last time, in milliseconds. Nothing that was sealed before is missing. */
  waitedMs: number;
}

export interface CodeExchange {
  code: string;
  /** What the code challenge was made from. */
  codeVerifier: string;
  device?: Device | undefined;
}

export interface ConfirmedFactor {
  id: string;
  /** `totp`: an authenticator app. `passkey`: a passkey. */
  kind: string;
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
  /** Of a passkey: `multiDevice` can be copied to other devices of its owner, `singleDevice` is lost with its device. Null for other kinds, and for one from another system that was not used here yet. */
  deviceType: 'singleDevice' | 'multiDevice' | null;
  /** Of a passkey: whether it had been copied when it was last used. */
  backedUp: boolean | null;
  /** With the first factor. Else null. */
  recoveryCodes: readonly (string)[] | null;
}

export interface Count {
  value: number;
  /** False: there are more. */
  isExact: boolean;
}

export interface CreatedApiKey {
  id: string;
  name: string;
  scopes: readonly (string)[];
  /** The last four characters of the key. */
  last4: string;
  expiresAt: string | null;
  /** To the minute. */
  lastUsedAt: string | null;
  createdAt: string;
  /** Shown this once. Send it as `X-API-Key`. */
  key: string;
}

export interface CreatedService {
  /** Its `client_id`. */
  id: string;
  name: string;
  scopes: readonly (string)[];
  /** Until then the secret before is good, too. */
  previousSecretExpiresAt: string | null;
  /** To the minute. */
  lastUsedAt: string | null;
  createdAt: string;
  /** Shown this once. Its `client_secret`. */
  secret: string;
}

export interface CreatedWebhook {
  id: string;
  url: string;
  types: readonly (string)[];
  description: string;
  enabled: boolean;
  /** `gone`: it answered 410. */
  disabledWhy: 'by_hand' | 'gone' | null;
  /** Attempts that failed since the last one that did not. */
  failures: number;
  failingSince: string | null;
  /** Nothing is sent before, because it fails. */
  retryAt: string | null;
  /** Until then the secret before signs, too. */
  previousSecretExpiresAt: string | null;
  createdAt: string;
  /** Shown this once. It verifies `webhook-signature`. */
  secret: string;
}

export type Credentials = {
  /** Username or e-mail address. Give it, or `username`, or `email`. */
  identifier: string;
  password: string;
  device?: Device | undefined;
} | {
  username: string;
  password: string;
  device?: Device | undefined;
} | {
  email: string;
  password: string;
  device?: Device | undefined;
};

export interface DayStats {
  /** In UTC. */
  day: string;
  signIns: readonly ({
    strategy: string;
    succeeded: number;
    /** A second factor was asked for. */
    challenged: number;
    refused: number;
  })[];
  limits: readonly ({
    limit: string;
    reached: number;
  })[];
}

/** The device that signs in, as its owner sees it in the list of sessions. A name is cut to 64 characters, a platform to 32. An unknown kind counts as none. */
export interface Device {
  kind?: 'web' | 'mobile' | 'desktop' | 'other' | undefined;
  name?: string | undefined;
  platform?: string | undefined;
}

export interface EmailChange {
  /** Upper and lower case are the same; dots and `+tags` are not ignored. */
  email: string;
  /** Any character counts, spaces too. */
  currentPassword?: string | undefined;
}

export interface EmailCodeCredentials {
  /** The answer to your request. */
  requestToken: string;
  /** From the mail. */
  code: string;
  device?: Device | undefined;
}

export interface EmailCodeRequest {
  /** Upper and lower case are the same; dots and `+tags` are not ignored. */
  email: string;
  /** Where your app wants the browser back: one of REDIRECT_URIS, on loopback with any port. */
  redirectUri?: string | undefined;
  /** PKCE (RFC 7636), method S256. */
  codeChallenge?: string | undefined;
  /** Comes back unchanged, so that your app knows its own request. */
  state?: string | undefined;
}

export interface EmailCodeRequested {
  requestToken: string;
}

export interface EmailOnly {
  /** Upper and lower case are the same; dots and `+tags` are not ignored. */
  email: string;
}

export interface EmailRestoration {
  /** From the link in the mail. */
  token: string;
}

export type EmailVerification = {
  /** From the link in the mail. */
  token: string;
  /** To confirm a sign-up: the password that was chosen then, or a new one. */
  password?: string | undefined;
} | {
  /** Upper and lower case are the same; dots and `+tags` are not ignored. */
  email: string;
  /** From the mail. */
  code: string;
  /** To confirm a sign-up: the password that was chosen then, or a new one. */
  password?: string | undefined;
};

export interface Factor {
  id: string;
  /** `totp`: an authenticator app. `passkey`: a passkey. */
  kind: string;
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
  /** Of a passkey: `multiDevice` can be copied to other devices of its owner, `singleDevice` is lost with its device. Null for other kinds, and for one from another system that was not used here yet. */
  deviceType: 'singleDevice' | 'multiDevice' | null;
  /** Of a passkey: whether it had been copied when it was last used. */
  backedUp: boolean | null;
}

export interface FactorChanges {
  name: string;
}

export interface FactorPage {
  data: readonly (Factor)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
  recoveryCodesLeft: number;
}

export interface GoogleIdToken {
  /** The ID token that the SDK of Google gave to your app. It works once. */
  idToken: string;
  /** The nonce that your app made for this sign-in. If it gave the provider its SHA-256 in hexadecimal, send the nonce itself. Required if the ID token has one. */
  nonce?: string | undefined;
  device?: Device | undefined;
}

export interface HealthStatus {
  status: 'ok';
}

export interface HourStats {
  /** When it began. */
  hour: string;
  signIns: readonly ({
    strategy: string;
    succeeded: number;
    /** A second factor was asked for. */
    challenged: number;
    refused: number;
  })[];
  limits: readonly ({
    limit: string;
    reached: number;
  })[];
}

export interface Identity {
  id: string;
  provider: string;
  /** As the provider told it when it was linked. */
  email: string | null;
  createdAt: string;
}

export interface IdentityPage {
  data: readonly (Identity)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface Impersonation {
  /** For the user, who reads it in a mail and in the list of sessions, and for the record. */
  reason: string;
}

export interface ImpersonationTokens {
  /** `DPoP` if the sign-in came with a proof of possession (RFC 9449): then each request needs one. */
  tokenType: 'Bearer' | 'DPoP';
  /** Send it as `Authorization: <tokenType> <token>`. Its content is not part of this contract. */
  accessToken: string;
  /** Seconds until the access token expires, and the session ends. There is no refresh token. */
  expiresIn: number;
  session: Session;
  user: User;
}

export interface Introspection {
  active: boolean;
  token_type?: 'Bearer' | 'DPoP' | undefined;
  iss?: string | undefined;
  aud?: string | undefined;
  /** Id of the user. */
  sub?: string | undefined;
  /** Id of the session. */
  sid?: string | undefined;
  iat?: number | undefined;
  exp?: number | undefined;
  username?: string | undefined;
  email?: string | undefined;
  email_verified?: boolean | undefined;
  roles?: readonly (string)[] | undefined;
  permissions?: readonly (string)[] | undefined;
  /** The permissions, with a space between two (RFC 6749 §3.3). */
  scope?: string | undefined;
  amr?: readonly (string)[] | undefined;
  acr?: string | undefined;
  auth_time?: number | undefined;
  /** The administrator who acts for the user (RFC 8693 §4.1). */
  act?: {
    sub: string;
  } | undefined;
  /** Thumbprint of the key that the token is bound to (RFC 9449 §6.2). */
  cnf?: {
    jkt: string;
  } | undefined;
}

export interface Invitation {
  id: string;
  email: string;
  name: string | null;
  roles: readonly (string)[];
  /** Id of the user who invites. Null: whoever runs the server. */
  invitedBy: string | null;
  createdAt: string;
  /** From then on the link is void. It can be sent again. */
  expiresAt: string;
}

export interface InvitationAcceptance {
  /** From the link in the mail. */
  token: string;
  /** Any character counts, spaces too. */
  password?: string | undefined;
  /** Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed. */
  username?: string | undefined;
  /** How the user likes to be called. */
  name?: string | undefined;
  device?: Device | undefined;
}

export interface InvitationPage {
  data: readonly (Invitation)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

/** RFC 7517. */
export interface Jwk {
  kty: string;
  use: string;
  alg: string;
  kid: string;
  crv?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
  n?: string | undefined;
  e?: string | undefined;
}

export interface JwkSet {
  keys: readonly (Jwk)[];
}

export interface KeyRotation {
  /** For keys that others may know: a new key signs at once, and what the others signed is refused. Clients refresh, nobody is signed out. Without it: `false`. */
  now?: boolean | undefined;
}

export interface LdapCredentials {
  username: string;
  password: string;
  device?: Device | undefined;
}

export interface ListedSession {
  id: string;
  strategy: string;
  createdAt: string;
  /** When it ends unless it is refreshed before. */
  expiresAt: string;
  /** How the user proved who they are (RFC 8176): `pwd`, `otp`, `hwk`, `user`, `mfa`, `fed` and others. Empty for a session that began before this was stored, and for one in which an administrator acts for the user. */
  amr: readonly (string)[];
  /** `aal2` after two factors. */
  acr: 'aal1' | 'aal2';
  /** When the user last proved what `acr` says. */
  authTime: string;
  device: {
    kind: string | null;
    name: string | null;
    platform: string | null;
  };
  /** The address that started it or last refreshed it. */
  ip: string | null;
  /** To the minute. */
  lastSeenAt: string;
  /** Whether it is the session of this request. */
  current: boolean;
  /** The administrator who acts for the user in this session, and why. Null: the user signed in. */
  impersonation: {
    actor: {
      id: string;
      name: string | null;
    };
    reason: string;
  } | null;
}

export interface ListedSessionPage {
  data: readonly (ListedSession)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface NewApiKey {
  name: string;
  /** Roles of yours that the key may use. Without it: `["user"]`. */
  scopes?: readonly (string)[] | undefined;
  /** Lifetime in seconds. Without it, the key never expires. */
  expiresIn?: number | undefined;
}

export interface NewInvitation {
  /** Upper and lower case are the same; dots and `+tags` are not ignored. */
  email: string;
  /** How the user likes to be called. */
  name?: string | undefined;
  roles?: readonly (string)[] | undefined;
}

export interface NewPasskey {
  /** From the answer that had the options. Good once, for five minutes. */
  challengeToken: string;
  credential: RegisteredCredential;
  /** Default: the name of the password manager or device, where it is known. */
  name?: string | undefined;
}

export interface NewPasskeyOptions {
  challengeToken: string;
  publicKey: PasskeyCreationOptions;
}

export interface NewService {
  name: string;
  /** What it may do. `introspect`: ask about tokens. `changes`: read which sessions ended and which users changed. `revoke`: end the session of a token. */
  scopes?: readonly ('introspect' | 'changes' | 'revoke')[] | undefined;
}

export interface NewTotpFactor {
  name?: string | undefined;
}

export interface NewWebhook {
  /** Where events are sent: https, at a public address. WEBHOOK_ALLOWED_NETWORKS allows others. */
  url: string;
  /** The events that it wants: a type, `user.*` for all that begin so, or `*` for all. Types: user.registered, user.imported, user.updated, user.deleted, user.password_changed, user.email_verified, user.email_changed, user.email_restored, user.disabled, user.enabled, user.unlocked, user.password_reset_sent, user.taken_over, identity.linked, identity.unlinked, api_key.made, api_key.deleted, factor.added, factor.renamed, factor.removed, factors.reset, recovery_codes.renewed, recovery_code.used, passkey.copied, invitation.accepted, role.created, role.changed, role.deleted, role.granted, role.revoked, session.started, session.new_device, session.ended, session.reauthenticated, session.reused. */
  types: readonly (string)[];
  /** Without it: ``. */
  description?: string | undefined;
}

/** `kid` is null if every key was replaced. */
export interface NextKey {
  kid: string | null;
  signsFrom: string;
}

export interface OwnEmail {
  email: string | null;
  emailVerified: boolean;
  /** The address of `POST /me/email`, until it is confirmed or its mail has expired. */
  pendingEmail: string | null;
}

export interface OwnUser {
  id: string;
  username: string | null;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  roles: readonly (string)[];
  locale: 'en' | 'de' | 'fr' | 'es' | 'pt' | 'ja' | 'ar' | null;
  /** What the roles allow: `resource:action`, `resource:*` or `*`. */
  permissions: readonly (string)[];
  /** The administrator who acts for the user (impersonation). Show it. Null: the user is here. */
  actor: {
    id: string;
    username: string | null;
  } | null;
}

export interface PasskeyCreationOptions {
  rp: {
    id: string;
    name: string;
  };
  user: {
    id: string;
    name: string;
    displayName: string;
  };
  challenge: string;
  pubKeyCredParams: readonly ({
    type: 'public-key';
    alg: number;
  })[];
  timeout: number;
  excludeCredentials: readonly ({
    id: string;
    type: 'public-key';
    transports?: readonly (string)[] | undefined;
  })[];
  authenticatorSelection: {
    residentKey: 'required';
    requireResidentKey: true;
    userVerification: 'required';
  };
  attestation: 'none' | 'direct';
  extensions: {
    credProps: true;
  };
}

export interface PasskeyEndpoints {
  enroll?: string | undefined;
  manage?: string | undefined;
}

export interface PasskeyRequestOptions {
  rpId: string;
  challenge: string;
  timeout: number;
  userVerification: 'required';
  /** Left out where any passkey of this site may answer. */
  allowCredentials?: readonly ({
    id: string;
    type: 'public-key';
    transports?: readonly (string)[] | undefined;
  })[] | undefined;
}

export interface PasskeySignIn {
  /** From the answer that had the options. Good once, for five minutes. */
  challengeToken: string;
  credential: AssertedCredential;
  device?: Device | undefined;
}

export interface PasskeySignInOptions {
  challengeToken: string;
  publicKey: PasskeyRequestOptions;
}

export type PasskeySignInRequest = Record<string, never>;

export interface PasswordChange {
  /** Any character counts, spaces too. */
  currentPassword: string;
  /** Any character counts, spaces too. */
  newPassword: string;
}

export interface PasswordReset {
  /** From the link in the mail. */
  token: string;
  /** Any character counts, spaces too. */
  password: string;
}

export interface PasswordResetRequest {
  /** Every session ends at once. */
  endSessions?: boolean | undefined;
}

export interface PendingTotpFactor {
  id: string;
  /** Base 32, for who cannot scan. Shown this once. */
  secret: string;
  /** The same for apps: `otpauth://totp/…` */
  uri: string;
  /** The URI as a QR code: an SVG image. */
  qr: string;
}

/** RFC 9457. */
export interface Problem {
  /** Address of a page that explains this problem to a person. */
  type: string;
  title: string;
  status: number;
  /** Stable: decide by this. Known values, more may come: `invalid_request`, `invalid_grant`, `invalid_code`, `unsupported_grant_type`, `invalid_scope`, `passkey_refused`, `invalid_state`, `token_missing`, `token_expired`, `token_invalid`, `session_ended`, `user_disabled`, `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_credentials`, `access_denied`, `interaction_required`, `invalid_client`, `unauthorized_client`, `email_unverified`, `mfa_required`, `step_up_required`, `mfa_enrollment_required`, `forbidden`, `impersonated`, `origin_refused`, `signup_closed`, `no_signing_keys`, `not_found`, `method_not_allowed`, `request_timeout`, `payload_too_large`, `unsupported_media_type`, `headers_too_large`, `username_taken`, `email_taken`, `already_linked`, `last_way_in`, `conflict`, `last_factor`, `factor_unreadable`, `last_admin`, `protected_role`, `precondition_failed`, `weak_password`, `rate_limited`, `server_error`, `internal`, `busy`, `unavailable`. */
  code: 'invalid_request' | 'invalid_grant' | 'invalid_code' | 'unsupported_grant_type' | 'invalid_scope' | 'passkey_refused' | 'invalid_state' | 'token_missing' | 'token_expired' | 'token_invalid' | 'session_ended' | 'user_disabled' | 'invalid_dpop_proof' | 'use_dpop_nonce' | 'invalid_credentials' | 'access_denied' | 'interaction_required' | 'invalid_client' | 'unauthorized_client' | 'email_unverified' | 'mfa_required' | 'step_up_required' | 'mfa_enrollment_required' | 'forbidden' | 'impersonated' | 'origin_refused' | 'signup_closed' | 'no_signing_keys' | 'not_found' | 'method_not_allowed' | 'request_timeout' | 'payload_too_large' | 'unsupported_media_type' | 'headers_too_large' | 'username_taken' | 'email_taken' | 'already_linked' | 'last_way_in' | 'conflict' | 'last_factor' | 'factor_unreadable' | 'last_admin' | 'protected_role' | 'precondition_failed' | 'weak_password' | 'rate_limited' | 'server_error' | 'internal' | 'busy' | 'unavailable' | (string & {});
  /** What to do next. Known values, more may come: `fix_request`, `sign_in`, `refresh`, `stop`, `verify_email`, `second_factor`, `step_up`, `enroll_factor`, `wait`. */
  action: 'fix_request' | 'sign_in' | 'refresh' | 'stop' | 'verify_email' | 'second_factor' | 'step_up' | 'enroll_factor' | 'wait' | (string & {});
  requestId: string;
  errors?: readonly ({
    /** RFC 6901, into the body or the query. */
    pointer: string;
    code: string;
    message: string;
  })[] | undefined;
  /** What is wrong with the proof (DPoP). */
  detail?: string | undefined;
  /** What is needed: one of these roles, or all of these permissions. */
  required?: readonly (string)[] | undefined;
  /** Why a refresh token was refused. Known values, more may come: `expired`, `revoked`, `reused`, `unknown`, `key`, `missing`. */
  reason?: 'expired' | 'revoked' | 'reused' | 'unknown' | 'key' | 'missing' | (string & {}) | undefined;
  /** A client may erase its tokens only at `ended`. Known values, more may come: `ended`, `unknown`. */
  sessionStatus?: 'ended' | 'unknown' | (string & {}) | undefined;
  /** What the session must prove: `aal2` for two factors (RFC 9470 §3). */
  acrValues?: readonly (string)[] | undefined;
  /** It must have been proved in the last so many seconds. */
  maxAge?: number | undefined;
  /** For `POST /auth/mfa`. */
  mfaToken?: string | undefined;
  /** Second factors that the user can answer with. */
  factors?: readonly (string)[] | undefined;
}

export interface QueuedMail {
  id: string;
  /** The kind of mail. */
  template: string;
  /** Of the recipient. No more is shown. */
  domain: string | null;
  attempts: number;
  createdAt: string;
  nextAttemptAt: string;
  expiresAt: string;
}

export interface QueuedMailPage {
  data: readonly (QueuedMail)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export type Reauthentication = {
  /** Any character counts, spaces too. */
  password: string;
  /** Six digits from an authenticator app. Spaces are ignored. */
  code?: string | undefined;
  credential?: AssertedCredential | undefined;
  /** One of your recovery codes. Case, dashes and spaces do not matter. */
  recoveryCode?: string | undefined;
} | {
  /** Any character counts, spaces too. */
  password?: string | undefined;
  /** Six digits from an authenticator app. Spaces are ignored. */
  code: string;
  credential?: AssertedCredential | undefined;
  /** One of your recovery codes. Case, dashes and spaces do not matter. */
  recoveryCode?: string | undefined;
} | {
  /** Any character counts, spaces too. */
  password?: string | undefined;
  /** Six digits from an authenticator app. Spaces are ignored. */
  code?: string | undefined;
  credential: AssertedCredential;
  /** One of your recovery codes. Case, dashes and spaces do not matter. */
  recoveryCode?: string | undefined;
} | {
  /** Any character counts, spaces too. */
  password?: string | undefined;
  /** Six digits from an authenticator app. Spaces are ignored. */
  code?: string | undefined;
  credential?: AssertedCredential | undefined;
  /** One of your recovery codes. Case, dashes and spaces do not matter. */
  recoveryCode: string;
};

export interface RecoveryCodes {
  /** Ten codes, each good once. Shown this once. */
  recoveryCodes: readonly (string)[];
}

export interface RefreshInput {
  /** Required, but with `X-Refresh-Token: cookie`: then it must be left out. */
  refreshToken?: string | undefined;
}

export interface RegisteredCredential {
  id: string;
  rawId: string;
  type: 'public-key';
  response: {
    clientDataJSON: string;
    attestationObject: string;
    transports?: readonly (string)[] | null | undefined;
  };
}

export type Registration = {
  /** Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed. */
  username: string;
  /** Upper and lower case are the same; dots and `+tags` are not ignored. */
  email?: string | undefined;
  /** Any character counts, spaces too. */
  password: string;
  /** How the user likes to be called. */
  name?: string | undefined;
  device?: Device | undefined;
} | {
  /** Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed. */
  username?: string | undefined;
  /** Upper and lower case are the same; dots and `+tags` are not ignored. */
  email: string;
  /** Any character counts, spaces too. */
  password: string;
  /** How the user likes to be called. */
  name?: string | undefined;
  device?: Device | undefined;
};

export interface Role {
  name: string;
  description: string;
  /** In alphabetical order. */
  permissions: readonly (string)[];
  createdAt: string;
}

export interface RolePage {
  data: readonly (Role)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export type SecondFactor = {
  /** From `mfa_required`. */
  mfaToken: string;
  /** Six digits from an authenticator app. Spaces are ignored. */
  code: string;
  device?: Device | undefined;
} | {
  /** From `mfa_required`. */
  mfaToken: string;
  credential: AssertedCredential;
  device?: Device | undefined;
} | {
  /** From `mfa_required`. */
  mfaToken: string;
  /** One of your recovery codes. Case, dashes and spaces do not matter. */
  recoveryCode: string;
  device?: Device | undefined;
};

export interface SecondFactorOptions {
  publicKey?: PasskeyRequestOptions | undefined;
}

export interface SecondFactorRequest {
  /** From `mfa_required`. */
  mfaToken: string;
}

export interface SecretRotation {
  /** Whether the secret before signs for another 24 hours, too. Send false if others know it. Without it: `true`. */
  keepPrevious?: boolean | undefined;
}

export interface ServerMetadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint: string;
  introspection_endpoint: string;
  jwks_uri: string;
  service_documentation: string;
  response_types_supported: readonly (string)[];
  response_modes_supported: readonly (string)[];
  grant_types_supported: readonly (string)[];
  code_challenge_methods_supported: readonly (string)[];
  scopes_supported: readonly (string)[];
  token_endpoint_auth_methods_supported: readonly (string)[];
  revocation_endpoint_auth_methods_supported: readonly (string)[];
  introspection_endpoint_auth_methods_supported: readonly (string)[];
  dpop_signing_alg_values_supported: readonly (string)[];
}

export interface Service {
  /** Its `client_id`. */
  id: string;
  name: string;
  scopes: readonly (string)[];
  /** Until then the secret before is good, too. */
  previousSecretExpiresAt: string | null;
  /** To the minute. */
  lastUsedAt: string | null;
  createdAt: string;
}

export interface ServiceChanges {
  name?: string | undefined;
  /** What it may do. `introspect`: ask about tokens. `changes`: read which sessions ended and which users changed. `revoke`: end the session of a token. */
  scopes?: readonly ('introspect' | 'changes' | 'revoke')[] | undefined;
}

export interface ServicePage {
  data: readonly (Service)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface ServiceSecretRotation {
  /** Whether the secret before is good for another 24 hours. Send false if others know it. Without it: `true`. */
  keepPrevious?: boolean | undefined;
}

export interface Session {
  id: string;
  strategy: string;
  createdAt: string;
  /** When it ends unless it is refreshed before. */
  expiresAt: string;
  /** How the user proved who they are (RFC 8176): `pwd`, `otp`, `hwk`, `user`, `mfa`, `fed` and others. Empty for a session that began before this was stored, and for one in which an administrator acts for the user. */
  amr: readonly (string)[];
  /** `aal2` after two factors. */
  acr: 'aal1' | 'aal2';
  /** When the user last proved what `acr` says. */
  authTime: string;
}

export interface Setting {
  name: string;
  /** As it would stand in the environment. Of a secret, and of a setting of a strategy: `set` or `not set`. */
  value: string | null;
}

export interface Settings {
  data: readonly (Setting)[];
}

export interface SignOutInput {
  refreshToken?: string | undefined;
  /** Without it: `session`. */
  scope?: 'session' | 'others' | 'all' | undefined;
}

export interface Stats {
  users: Count;
  sessions: Count;
  mails: Count;
  /** Days on which something happened. */
  days: readonly (DayStats)[];
  /** Hours in which something happened. */
  hours: readonly (HourStats)[];
  /** False: there were too many events to read all. The oldest days and hours are missing, or say too little. */
  isComplete: boolean;
}

export type Strategies = readonly (Strategy)[];

export interface Strategy {
  name: string;
  /** `login`: send JSON to `url`. `redirect`: send the browser to `url`. `bearer`: sent with every request. */
  kind: 'login' | 'redirect' | 'bearer';
  summary: string;
  /** Null for `bearer`. */
  url: string | null;
}

export interface TokenResponse {
  access_token: string;
  token_type: 'Bearer' | 'DPoP';
  /** Seconds until the access token expires. */
  expires_in: number;
  /** Store it before you use the access token. The one before is then void. */
  refresh_token?: string | undefined;
  /** The permissions of the user, or the scopes of the service. Missing: none. */
  scope?: string | undefined;
}

export interface Tokens {
  /** `DPoP` if the sign-in came with a proof of possession (RFC 9449): then each request needs one. */
  tokenType: 'Bearer' | 'DPoP';
  /** Send it as `Authorization: <tokenType> <token>`. Its content is not part of this contract. */
  accessToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
  /** For `POST /auth/refresh`, once. Opaque: its content is not part of this contract. It is left out with `X-Refresh-Token: cookie`: then it is a cookie that no script can read. */
  refreshToken?: string | undefined;
  /** Seconds until the session ends if it is not refreshed. */
  refreshExpiresIn: number;
  session: Session;
  user: User;
}

export interface TotpConfirmation {
  /** Six digits from an authenticator app. Spaces are ignored. */
  code: string;
}

export interface User {
  id: string;
  username: string | null;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  roles: readonly (string)[];
}

export type UserChanges = {
  /** Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed. */
  username: string;
  name?: string | null | undefined;
  locale?: 'en' | 'de' | 'fr' | 'es' | 'pt' | 'ja' | 'ar' | null | undefined;
} | {
  /** Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed. */
  username?: string | undefined;
  name: string | null;
  locale?: 'en' | 'de' | 'fr' | 'es' | 'pt' | 'ja' | 'ar' | null | undefined;
} | {
  /** Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed. */
  username?: string | undefined;
  name?: string | null | undefined;
  locale: 'en' | 'de' | 'fr' | 'es' | 'pt' | 'ja' | 'ar' | null;
};

export type UserDeletion = {
  /** Any character counts, spaces too. */
  password: string;
  confirm?: 'delete' | undefined;
} | {
  /** Any character counts, spaces too. */
  password?: string | undefined;
  confirm: 'delete';
};

export type UserEdits = {
  name: string | null;
  username?: string | null | undefined;
  email?: string | null | undefined;
  disabled?: boolean | undefined;
} | {
  name?: string | null | undefined;
  username: string | null;
  email?: string | null | undefined;
  disabled?: boolean | undefined;
} | {
  name?: string | null | undefined;
  username?: string | null | undefined;
  email: string | null;
  disabled?: boolean | undefined;
} | {
  name?: string | null | undefined;
  username?: string | null | undefined;
  email?: string | null | undefined;
  disabled: boolean;
};

/** Everything the server knows of a user, without passwords, secrets and tokens. */
export interface UserExport {
  format: 'sallyport-user-export';
  /** Goes up when a member goes or changes its meaning, not when one is added. Ignore members that you do not know. */
  version: 1;
  exportedAt: string;
  user: {
    id: string;
    /** By which front ends know the user that need a number. */
    number: number | null;
    username: string | null;
    email: string | null;
    emailVerifiedAt: string | null;
    name: string | null;
    locale: string | null;
    hasPassword: boolean;
    recoveryCodesLeft: number;
    disabledAt: string | null;
    createdAt: string;
    updatedAt: string;
  };
  roles: readonly ({
    name: string;
    since: string | null;
  })[];
  identities: readonly ({
    id: string;
    provider: string;
    subject: string;
    email: string | null;
    createdAt: string;
  })[];
  /** Also those that have ended, as long as they are kept. */
  sessions: readonly ({
    id: string;
    strategy: string;
    amr: readonly (string)[];
    device: {
      kind: string | null;
      name: string | null;
      platform: string | null;
    };
    userAgent: string | null;
    ip: string | null;
    createdAt: string;
    lastSeenAt: string | null;
    refreshedAt: string | null;
    authenticatedAt: string | null;
    twoFactorsAt: string | null;
    expiresAt: string;
    endedAt: string | null;
    updatedAt: string;
  })[];
  factors: readonly ({
    id: string;
    kind: string;
    name: string;
    createdAt: string;
    confirmedAt: string | null;
    lastUsedAt: string | null;
    passkey: {
      credentialId: string;
      deviceType: string;
      backedUp: boolean;
      transports: readonly (string)[];
      aaguid: string;
      signatures: number;
    } | null;
  })[];
  apiKeys: readonly ({
    id: string;
    name: string;
    scopes: readonly (string)[];
    last4: string;
    expiresAt: string | null;
    lastUsedAt: string | null;
    createdAt: string;
  })[];
  /** Links and codes that can still be used, without what they are. */
  pendingTokens: readonly ({
    purpose: string;
    createdAt: string;
    expiresAt: string;
  })[];
  invitationsReceived: readonly ({
    id: string;
    name: string | null;
    roles: readonly (string)[];
    createdAt: string;
    expiresAt: string;
  })[];
  /** Whom they invite is not told: it is data of others. */
  invitationsSent: readonly ({
    id: string;
    createdAt: string;
    expiresAt: string;
  })[];
  /** Mails that wait to be sent. No others are kept. */
  mails: readonly ({
    template: string;
    subject: string;
    createdAt: string;
    expiresAt: string;
  })[];
  /** Always empty: the server asks for none. */
  consents: readonly (string)[];
  /** What the user did, and what was done to them. Who else did it, and from where, is not told. */
  audit: readonly ({
    seq: number | null;
    id: string;
    type: string;
    version: number;
    actor: string | null;
    actorKind: string;
    onBehalfOf: string | null;
    subject: string | null;
    sessionId: string | null;
    ip: string | null;
    requestId: string | null;
    details: Record<string, unknown>;
    createdAt: string;
  })[];
}

export interface Webhook {
  id: string;
  url: string;
  types: readonly (string)[];
  description: string;
  enabled: boolean;
  /** `gone`: it answered 410. */
  disabledWhy: 'by_hand' | 'gone' | null;
  /** Attempts that failed since the last one that did not. */
  failures: number;
  failingSince: string | null;
  /** Nothing is sent before, because it fails. */
  retryAt: string | null;
  /** Until then the secret before signs, too. */
  previousSecretExpiresAt: string | null;
  createdAt: string;
}

export interface WebhookChanges {
  /** Where events are sent: https, at a public address. WEBHOOK_ALLOWED_NETWORKS allows others. */
  url?: string | undefined;
  /** The events that it wants: a type, `user.*` for all that begin so, or `*` for all. Types: user.registered, user.imported, user.updated, user.deleted, user.password_changed, user.email_verified, user.email_changed, user.email_restored, user.disabled, user.enabled, user.unlocked, user.password_reset_sent, user.taken_over, identity.linked, identity.unlinked, api_key.made, api_key.deleted, factor.added, factor.renamed, factor.removed, factors.reset, recovery_codes.renewed, recovery_code.used, passkey.copied, invitation.accepted, role.created, role.changed, role.deleted, role.granted, role.revoked, session.started, session.new_device, session.ended, session.reauthenticated, session.reused. */
  types?: readonly (string)[] | undefined;
  description?: string | undefined;
  /** What happens while it is not enabled is never sent there. */
  enabled?: boolean | undefined;
}

export interface WebhookDelivery {
  id: string;
  /** The header `webhook-id`. */
  eventId: string;
  type: string;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  nextAttemptAt: string | null;
  lastAttemptAt: string | null;
  /** Status of the last answer. */
  lastStatus: number | null;
  /** Why there was none, in a word. */
  lastError: string | null;
  /** When it was delivered or given up. */
  settledAt: string | null;
  createdAt: string;
}

export interface WebhookDeliveryPage {
  data: readonly (WebhookDelivery)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface WebhookPage {
  data: readonly (Webhook)[];
  /** Send it as `cursor` to get the next page. Null on the last page. */
  nextCursor: string | null;
}

export interface WholeRole {
  /** For people. Without it: ``. */
  description?: string | undefined;
  /** `resource:action`, `resource:*` or `*`. Your own names, or those of the server. */
  permissions: readonly (string)[];
}
