import type { z } from 'zod';
import type apiKey from '#strategies/api-key';
import type basic from '#strategies/basic';
import type emailCode from '#strategies/email-code';
import type github from '#strategies/github';
import type google from '#strategies/google';
import type header from '#strategies/header';
import type ldap from '#strategies/ldap';
import type oidc from '#strategies/oidc';
import type saml from '#strategies/saml';

type SettingsOf<S> = S extends { env?: infer E } ? Partial<z.input<NonNullable<E>>> : never;

/** The settings of the strategies in strategies/, by their names in the environment. */
export type ShippedSettings = SettingsOf<typeof apiKey> &
  SettingsOf<typeof basic> &
  SettingsOf<typeof emailCode> &
  SettingsOf<typeof github> &
  SettingsOf<typeof google> &
  SettingsOf<typeof header> &
  SettingsOf<typeof ldap> &
  SettingsOf<typeof oidc> &
  SettingsOf<typeof saml>;
