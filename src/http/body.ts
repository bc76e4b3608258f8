import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler } from 'express';
import { Problem } from '#src/core/problem';

/** Largest request body, in bytes. */
const LIMIT = 16 * 1024;

const JSON_ONLY = /^application\/json\s*(;\s*charset=("?)utf-8\2\s*)?$/i;
const JSON_OR_FORM = /^application\/(json|x-www-form-urlencoded)\s*(;\s*charset=("?)utf-8\3\s*)?$/i;

const only =
  (types: RegExp): RequestHandler =>
  (req, _res, next) => {
    const empty = req.headers['transfer-encoding'] === undefined && (req.headers['content-length'] ?? '0') === '0';
    if (!empty && !types.test(req.headers['content-type'] ?? '')) throw new Problem('unsupported_media_type');
    next();
  };

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
export const jsonBody: readonly RequestHandler[] = [only(JSON_ONLY), express.json(options)];

/** The same, or the fields of a form. */
export const jsonOrForm: readonly RequestHandler[] = [
  only(JSON_OR_FORM),
  express.json(options),
  express.urlencoded({ ...options, extended: false, parameterLimit: 50 }),
];

/** Largest form that a provider sends a browser back with, in bytes: a signed SAML response has certificates in it. */
const FORM_LIMIT = 256 * 1024;
const FORM_ONLY = /^application\/x-www-form-urlencoded\s*(;\s*charset=("?)utf-8\2\s*)?$/i;

/** The fields of a form, and nothing else. */
export const formBody: readonly RequestHandler[] = [
  only(FORM_ONLY),
  express.urlencoded({ ...options, limit: FORM_LIMIT, extended: false, parameterLimit: 50 }),
];
