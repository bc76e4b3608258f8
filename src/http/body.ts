import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler } from 'express';
import { Problem } from '#src/core/problem';

/** Largest request body, in bytes. */
const LIMIT = 16 * 1024;

/** Refuses a body of any other type than these of `application/`, and of any other encoding than UTF-8. */
function only(...types: string[]): RequestHandler {
  const known = new RegExp(`^application/(${types.join('|')})\\s*(;\\s*charset=("?)utf-8\\3\\s*)?$`, 'i');
  return (req, _res, next) => {
    const empty = req.headers['transfer-encoding'] === undefined && (req.headers['content-length'] ?? '0') === '0';
    if (!empty && !known.test(req.headers['content-type'] ?? '')) throw new Problem('unsupported_media_type');
    next();
  };
}
const FORM = 'x-www-form-urlencoded';

const options = {
  limit: LIMIT,
  inflate: false,
  verify: (_req: unknown, _res: unknown, bytes: Buffer) => {
    if (!isUtf8(bytes)) throw new Problem('invalid_request');
  },
};

/**
 * Reads a JSON body: UTF-8 only, at most LIMIT bytes, never compressed. Invalid UTF-8 is refused: decoded loosely,
 * different passwords would become the same one.
 */
export const jsonBody: readonly RequestHandler[] = [only('json'), express.json(options)];

/** The same, or the fields of a form. */
export const jsonOrForm: readonly RequestHandler[] = [
  only('json', FORM),
  express.json(options),
  express.urlencoded({ ...options, extended: false, parameterLimit: 50 }),
];

/** Largest form that a provider sends a browser back with, in bytes: a signed SAML response has certificates in it. */
const FORM_LIMIT = 256 * 1024;

/** The fields of a form, and nothing else. */
export const formBody: readonly RequestHandler[] = [
  only(FORM),
  express.urlencoded({ ...options, limit: FORM_LIMIT, extended: false, parameterLimit: 50 }),
];
