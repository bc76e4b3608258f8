import type { Settings } from '#src/platform/settings/settings';

/** Phones are locked and have one user, and signing in on them takes effort: their sessions last longer. */
const limitsOf = (settings: Settings, deviceKind: string | null) =>
  deviceKind === 'mobile'
    ? { idle: settings.refreshIdleMobile, absolute: settings.refreshAbsoluteMobile }
    : { idle: settings.refreshIdle, absolute: settings.refreshAbsolute };

/**
 * When a session ends that is used now and never again: after the idle limit, or after the absolute one if that is
 * earlier.
 */
export function expiryOf(
  settings: Settings,
  { deviceKind, createdAt }: { deviceKind: string | null; createdAt: Date },
  now: Date,
): Date {
  const { idle, absolute } = limitsOf(settings, deviceKind);
  return new Date(Math.min(now.getTime() + idle * 1000, createdAt.getTime() + absolute * 1000));
}
