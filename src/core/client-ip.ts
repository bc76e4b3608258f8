import { isIP } from 'node:net';

/** The caller's address, or undefined if a proxy that is trusted has passed on something that is none. */
export const clientIp = ({ ip }: { ip?: string | undefined }): string | undefined => (ip && isIP(ip) && !ip.includes('%') ? ip : undefined);
