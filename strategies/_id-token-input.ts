import { z } from 'zod';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { later, type StrategyContext } from '#src/strategy-kit/strategy';
import type { TokenSource } from '#strategies/_id-token';
import { list } from '#src/platform/settings/types';

/** What an app sends that got an ID token from the SDK of a provider. */
export const idTokenInput = (provider: string) =>
  z
    .strictObject({
      idToken: z
        .string()
        .min(1)
        .max(8192)
        .meta({
          description: `The ID token that the SDK of ${provider} gave to your app. It works once.`,
        }),
      nonce: z.string().min(1).max(512).optional().meta({
        description:
          'The nonce that your app made for this sign-in. If it gave the provider its SHA-256 in hexadecimal, send the nonce itself. Required if the ID token has one.',
      }),
      device: DeviceInput.optional(),
    })
    .meta({ id: `${provider}IdToken` });

/** A setting: the client ids of apps, for which ID tokens may be meant. */
export const clientIds = list.refine((ids) => ids.length > 0, 'must name a client id');

// jose is loaded for who uses it.
const library = () => import('#strategies/_id-token');

/** What strategies that take such tokens have in common. `sourceOf`: whose tokens, by the settings. */
export const takesIdTokens = <Settings>(sourceOf: (settings: Settings) => TokenSource) => ({
  kind: 'login' as const,
  amr: ['fed'],
  check: async (settings: Settings) => (await library()).checkKeys(sourceOf(settings)),
  load: library,
  create: ({ env, store, resolveUser }: StrategyContext<Settings>) =>
    later(async () => (await library()).idTokenStrategy(sourceOf(env), { store, resolveUser })),
});
