export { createSallyport, type Sallyport, type SallyportOptions } from '#src/sallyport';
export { settingsFrom } from '#src/platform/settings/read';
export { Problem } from '#src/platform/http/problem';
export { SettingsError } from '#src/platform/settings/settings-error';
export type { EventMap } from '#src/events';
export type { Principal } from '#src/users/principal';
export type { SignInPolicy } from '#src/authentication/sign-in-policies';
