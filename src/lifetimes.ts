const SECOND_MS = 1000;
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export const MINUTE_MS = MINUTE_SECONDS * SECOND_MS;
export const HOUR_MS = HOUR_SECONDS * SECOND_MS;
export const DAY_MS = DAY_SECONDS * SECOND_MS;

/** Every fixed lifetime of this server. Those that an operator may choose are settings. The unit stands in the name. */
export const lifetimes = {
  /** A link that sets a new password. */
  passwordResetSeconds: 15 * MINUTE_SECONDS,
  /** A link or code that confirms an e-mail address. */
  emailChallengeSeconds: 24 * HOUR_SECONDS,
  /** The link in the mail to the old address that undoes a change of address. */
  emailRestoreSeconds: 72 * HOUR_SECONDS,
  /** The link in the mail about a sign-in on a new device, which ends that session. */
  sessionEndLinkSeconds: 7 * DAY_SECONDS,
  /** The link of an invitation. */
  invitationSeconds: 7 * DAY_SECONDS,
  /** An invitation that nobody accepted in time can be sent again for so long. */
  expiredInvitationDays: 30,
  /** A notice about security is sent for so long at most. */
  noticeSeconds: 72 * HOUR_SECONDS,
  /** A browser's way to a provider and back (the authorization request). */
  authorizationRequestSeconds: 10 * MINUTE_SECONDS,
  /** The code that an app exchanges for tokens (RFC 6749 §4.1.2). */
  authorizationCodeSeconds: 60,
  /** A code that comes again after it was exchanged ends its session for so long (RFC 6749 §4.1.2). */
  spentCodeSeconds: 10 * MINUTE_SECONDS,
  /** A sign-in waits for its second factor for so long. */
  secondFactorSeconds: 5 * MINUTE_SECONDS,
  /** For so long the server tries to end a grant of a user who was deleted. */
  grantRevocationSeconds: 3 * DAY_SECONDS,
  /** The challenge that a passkey signs. */
  passkeyChallengeSeconds: 5 * MINUTE_SECONDS,
  /** A replaced refresh token is still answered for so long: a second tab, a retry. */
  refreshReuseSeconds: 20,
  /** A sign-in counts as fresh for so long where somebody gives no password. */
  freshSignInMinutes: 5,
  /** The same before somebody changes how they sign in. */
  freshCredentialChangeMinutes: 60,
  /** An administrator may act for a user for so long at most. */
  impersonationSeconds: HOUR_SECONDS,
  /** A session that ended is kept for so long, so that one can ask what happened. */
  endedSessionDays: 30,
  /** For so long the server tries to deliver an event to a webhook. */
  webhookDeliverySeconds: 3 * DAY_SECONDS,
  /** What was delivered to a webhook, or given up, is listed for so long. */
  webhookDeliveryDays: 30,
  /** The old secret of a webhook signs, too, for so long after it was replaced. */
  webhookSecretOverlapSeconds: 24 * HOUR_SECONDS,
  /** The old secret of a service is good for so long after it was replaced. */
  serviceSecretOverlapSeconds: 24 * HOUR_SECONDS,
  /** The access token of a service. */
  serviceTokenSeconds: 10 * MINUTE_SECONDS,
  /** A proof of possession of a key may be used for so long after the server gave the nonce in it. */
  dpopNonceSeconds: 5 * MINUTE_SECONDS,
  /** A signing key signs for so long before the next one is made. */
  signingKeyDays: 30,
  /** Others may keep our public keys for so long. A new key is published for so long before it signs. */
  publicKeysSeconds: 5 * MINUTE_SECONDS,
  /** How far the clocks of nodes may be apart. */
  clockSkewSeconds: 60,
  /** Pages that are the same for everybody may be kept for so long. */
  publicPageSeconds: 5 * MINUTE_SECONDS,
  /** Files whose names have a digest of their content never change. */
  assetSeconds: 365 * DAY_SECONDS,
} as const;

/** A lifetime in words: `15 minutes`, `24 hours`, `90 days`. Hours up to three days, then days. */
export function inWords(seconds: number): string {
  const [size, word] =
    seconds > 3 * DAY_SECONDS && seconds % DAY_SECONDS === 0
      ? [DAY_SECONDS, 'day']
      : seconds >= HOUR_SECONDS && seconds % HOUR_SECONDS === 0
        ? [HOUR_SECONDS, 'hour']
        : seconds >= MINUTE_SECONDS && seconds % MINUTE_SECONDS === 0
          ? [MINUTE_SECONDS, 'minute']
          : [1, 'second'];
  const count = seconds / size;
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
