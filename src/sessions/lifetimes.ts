import type { Session } from '#models/index';
import { config } from '#src/config';

/** A phone is locked, and in nobody else's hands; signing in on it is a nuisance. So its sessions last longer. */
const limitsOf = (kind: string | null) =>
  kind === 'mobile'
    ? { idle: config.REFRESH_IDLE_MOBILE, absolute: config.REFRESH_ABSOLUTE_MOBILE }
    : { idle: config.REFRESH_IDLE, absolute: config.REFRESH_ABSOLUTE };

/** When a session ends that is used now and then no more: the idle limit from now, or the absolute one from its start. */
export function expiryOf({ deviceKind, createdAt }: Pick<Session, 'deviceKind' | 'createdAt'>, now: Date): Date {
  const { idle, absolute } = limitsOf(deviceKind);
  return new Date(Math.min(now.getTime() + idle * 1000, createdAt.getTime() + absolute * 1000));
}

/** How long ago somebody may have proved who they are who gives no password now, in minutes. */
export const FRESH = 5;
