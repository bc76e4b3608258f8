import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler } from 'express';
import { Problem } from '#src/core/problem';

/** Largest request body, in bytes. */
const LIMIT = 16 * 1024;

const isJson = /^application\/json\s*(;\s*charset=("?)utf-8\2\s*)?$/i;

const onlyJson: RequestHandler = (req, _res, next) => {
  const empty = req.headers['transfer-encoding'] === undefined && (req.headers['content-length'] ?? '0') === '0';
  if (!empty && !isJson.test(req.headers['content-type'] ?? '')) throw new Problem('unsupported_media_type');
  next();
};

/**
 * Reads a JSON body: UTF-8 only, at most LIMIT bytes, never compressed. Invalid UTF-8 is refused: decoded loosely,
 * different passwords would become the same one.
 */
export const jsonBody: readonly RequestHandler[] = [
  onlyJson,
  express.json({
    limit: LIMIT,
    inflate: false,
    verify: (_req, _res, bytes) => {
      if (!isUtf8(bytes)) throw new Problem('invalid_request');
    },
  }),
];
