import { createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'uuid';
import { keysFor } from '#src/core/secrets';

/**
 * `rt1.` and base64url of key id (5 bytes), session id (16), generation (4, big-endian) and HMAC-SHA-256 over these (32).
 * It is derived, not stored: the database holds nothing to steal, and the same generation always has the same token.
 */
const PREFIX = 'rt1.';
const ID = 5;
const SIGNED = ID + 16 + 4;
const LENGTH = SIGNED + 32;

const keyring = () => {
  const ids = keysFor('refresh-token-id');
  return keysFor('refresh-token').map((key, i) => ({ id: ids[i]!.subarray(0, ID), key }));
};
const mac = (key: Buffer, signed: Buffer) => createHmac('sha256', key).update(signed).digest();

interface Spent {
  sessionId: string;
  generation: number;
}

/** The refresh token that a generation of a session has, under today's APP_SECRET. */
export function refreshTokenOf({ id, generation }: { id: string; generation: number }): string {
  const [current] = keyring();
  const signed = Buffer.concat([current!.id, parse(id), Buffer.alloc(4)]);
  signed.writeUInt32BE(generation, ID + 16);
  return PREFIX + Buffer.concat([signed, mac(current!.key, signed)]).toString('base64url');
}

/** What a token of ours stands for, or null for any other text. Compared in constant time; asks no database. */
export function readRefreshToken(text: string): Spent | null {
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
  if (bytes.length !== LENGTH || text !== PREFIX + bytes.toString('base64url')) return null;
  const signed = bytes.subarray(0, SIGNED);
  const made = keyring().find(({ id }) => id.equals(signed.subarray(0, ID)));
  if (!made || !timingSafeEqual(mac(made.key, signed), bytes.subarray(SIGNED))) return null;
  return { sessionId: stringify(signed, ID), generation: signed.readUInt32BE(ID + 16) };
}
