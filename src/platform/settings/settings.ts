import type { z } from 'zod';
import type { SettingsSchema } from '#src/platform/settings/schema';

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<S>;
export type CamelKeys<T> = { [K in keyof T as K extends string ? CamelCase<K> : never]: T[K] };

/** `publicUrl` for `PUBLIC_URL`. */
export const optionName = (setting: string): string =>
  setting.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Beside each option another one, whose name ends in `File`: the file that holds the value. */
export type WithFiles<T> = T & { [K in keyof T as K extends string ? `${K}File` : never]?: string };

/** The settings as an app that embeds the server gives them: all optional, in camelCase. */
export type SettingsOptions = WithFiles<CamelKeys<z.input<typeof SettingsSchema>>>;

/** The settings in force: parsed, with defaults. */
export interface Settings extends Omit<
  CamelKeys<z.output<typeof SettingsSchema>>,
  'publicUrl' | 'jwtIssuer' | 'dialects' | 'passkeyRpId' | 'passkeyOrigins'
> {
  /** Without a slash at its end. It may have a path. */
  readonly publicUrl: string;
  /** The path of `publicUrl`: empty, or such as `/identity`. */
  readonly basePath: string;
  readonly jwtIssuer: string;
  readonly dialects: readonly string[];
  /** The domain of the passkeys. Undefined: there are none. */
  readonly passkeyRpId: string | undefined;
  /** Where passkeys may be used: web origins, and those of Android apps. */
  readonly passkeyOrigins: readonly string[];
  /** Longest lifetime of any access token, in seconds. */
  readonly longestTokenSeconds: number;
  /** What strategies read their own settings from: by their names in the environment, or in camelCase. */
  readonly strategyValues: Readonly<Record<string, unknown>>;
}
