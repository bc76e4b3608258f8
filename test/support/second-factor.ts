import { createHmac } from 'node:crypto';
import { expect } from 'vitest';
import type { Context } from '#src/context';
import type { Answer, Question } from '#test/support/client';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
export const STEP_MS = 30_000;

/** RFC 4648 §6. */
function bytesOf(base32: string): Buffer {
  const bits = [...base32].map((char) => ALPHABET.indexOf(char).toString(2).padStart(5, '0'));
  const octets = bits.join('').match(/.{8}/g) ?? [];
  return Buffer.from(octets.map((octet) => Number.parseInt(octet, 2)));
}

/** The code that an authenticator app shows (RFC 6238), so many steps later. Written from the RFC, with no library. */
export function totpCode(secret: string, ms: number, steps = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / STEP_MS) + steps));
  const mac = createHmac('sha1', bytesOf(secret)).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Somebody who is signed in. */
interface Member {
  ask: (method: string, path: string, question?: Question) => Promise<Answer>;
}

/**
 * Adds an authenticator app with the code of now, which is spent then. So `code()` is that of the next step, which is
 * accepted, too, and still is when the step changes meanwhile.
 */
export async function addApp({ clock }: Pick<Context, 'clock'>, { ask }: Member) {
  const started = await ask('POST', '/me/factors/totp', { body: {} });
  expect(started.status, started.text).toBe(201);
  const { id: factorId, secret } = started.body as { id: string; secret: string };
  const code = (steps = 1) => totpCode(secret, clock.now(), steps);
  const { status, body, text } = await ask('POST', `/me/factors/totp/${factorId}/confirm`, {
    body: { code: code(0) },
  });
  expect(status, text).toBe(200);
  return { factorId, secret, code, recoveryCodes: body.recoveryCodes as string[] };
}
