import { z } from 'zod';

// The JSON of WebAuthn Level 3 (§5.1), as `PublicKeyCredential.toJSON()` of a browser and the libraries for phones write
// it. Browsers add members as WebAuthn grows, so those that are not named here are allowed, and nothing reads them.

/** Base64url without padding. */
const bytes = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/, 'Base64url without padding')
    .meta({ format: 'base64url' });

const credential = {
  id: bytes(1364),
  rawId: bytes(1364),
  type: z.literal('public-key'),
};

/** What `navigator.credentials.create()` answered, or `startRegistration()` of @simplewebauthn/browser. */
export const RegisteredCredential = z
  .looseObject({
    ...credential,
    response: z.looseObject({
      clientDataJSON: bytes(4096),
      attestationObject: bytes(8192),
      transports: z.array(z.string().max(64)).max(16).nullish(),
    }),
  })
  .meta({ id: 'RegisteredCredential' });
export type RegisteredCredential = z.output<typeof RegisteredCredential>;

/** What `navigator.credentials.get()` answered, or `startAuthentication()` of @simplewebauthn/browser. */
export const AssertedCredential = z
  .looseObject({
    ...credential,
    response: z.looseObject({
      clientDataJSON: bytes(4096),
      authenticatorData: bytes(4096),
      signature: bytes(2048),
      userHandle: z
        .string()
        .max(88)
        .regex(/^[A-Za-z0-9_-]*$/, 'Base64url without padding')
        .nullish(),
    }),
  })
  .meta({ id: 'AssertedCredential' });
export type AssertedCredential = z.output<typeof AssertedCredential>;

const Descriptor = z.object({
  id: z.string(),
  type: z.literal('public-key'),
  transports: z.array(z.string()).optional(),
});

/** For `navigator.credentials.create()`. */
export const CreationOptions = z
  .object({
    rp: z.object({ id: z.string(), name: z.string() }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
    challenge: z.string(),
    pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })),
    timeout: z.int(),
    excludeCredentials: z.array(Descriptor),
    authenticatorSelection: z.object({
      residentKey: z.literal('required'),
      requireResidentKey: z.literal(true),
      userVerification: z.literal('required'),
    }),
    attestation: z.enum(['none', 'direct']),
    extensions: z.object({ credProps: z.literal(true) }),
  })
  .meta({ id: 'PasskeyCreationOptions' });
export type CreationOptions = z.input<typeof CreationOptions>;

/** For `navigator.credentials.get()`. */
export const RequestOptions = z
  .object({
    rpId: z.string(),
    challenge: z.string(),
    timeout: z.int(),
    userVerification: z.literal('required'),
    allowCredentials: z
      .array(Descriptor)
      .optional()
      .meta({ description: 'Left out where any passkey of this site may answer.' }),
  })
  .meta({ id: 'PasskeyRequestOptions' });
export type RequestOptions = z.input<typeof RequestOptions>;

export const ChallengeToken = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9_-]+$/)
  .meta({ description: 'From the answer that had the options. Good once, for five minutes.' });
