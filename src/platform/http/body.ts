import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { problemOf } from '#src/platform/http/error-handler';
import { Problem } from '#src/platform/http/problem';

/** Largest request body, in bytes. */
const LIMIT = 16 * 1024;
/** Largest form that comes back from a provider, in bytes. A signed SAML response holds certificates. */
const FORM_LIMIT = 256 * 1024;
const FORM = 'x-www-form-urlencoded';

interface BodyRequest extends Request {
  /** The bytes of the body as they came: for strategies that check a signature over them. */
  rawBody?: Buffer;
  /** Why `readRawBody` could not parse the body. A route that wants a body answers with it. */
  bodyError?: unknown;
}

const isEmpty = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';

/** Refuses any other type than these of `application/`, and any other charset than UTF-8. */
function only(...types: string[]): RequestHandler {
  const known = new RegExp(
    `^application/(${types.join('|')})\\s*(;\\s*charset=("?)utf-8\\3\\s*)?$`,
    'i',
  );
  return (req, res, next) => {
    // The body broke while the request waited for its turn. body-parser would go on as if there was none.
    if (res.headersSent) return;
    if (!isEmpty(req) && !known.test(req.headers['content-type'] ?? ''))
      throw types.includes('json') ? new Problem('unsupported_media_type') : formWanted();
    next();
  };
}

const formWanted = () =>
  new Problem('unsupported_media_type', { members: { detail: `Send application/${FORM}` } });

/** Options of body-parser. Its `verify` hook sees the bytes before they are decoded. */
const optionsFor = (limit: number) => ({
  limit,
  inflate: false,
  verify: (req: unknown, _res: unknown, bytes: Buffer) => {
    (req as BodyRequest).rawBody = bytes;
    // Decoded loosely, different passwords would become the same one.
    if (!isUtf8(bytes)) throw new Problem('invalid_request');
  },
});

/**
 * Refuses a body at the byte that is too much, announced or not. body-parser would first read all of it, however long it
 * is.
 */
const bounded =
  (limit: number, read: RequestHandler): RequestHandler =>
  (req, res, next) => {
    if (Number(req.headers['content-length'] ?? 0) > limit) throw new Problem('payload_too_large');
    if (req.headers['transfer-encoding'] === undefined) return read(req, res, next);
    let size = 0;
    let isDone = false;
    const done = (error?: unknown) => {
      if (isDone) return;
      isDone = true;
      req.off('data', count);
      next(error);
    };
    const count = (bytes: Buffer) => {
      size += bytes.length;
      if (size > limit) done(new Problem('payload_too_large'));
    };
    if (!req.readableEnded) req.on('data', count);
    return read(req, res, done);
  };

const readJson = bounded(LIMIT, express.json(optionsFor(LIMIT)));
const readForm = (limit: number) =>
  bounded(limit, express.urlencoded({ ...optionsFor(limit), extended: false, parameterLimit: 50 }));
const readSmallForm = readForm(LIMIT);

/**
 * Stands before the readers, which do nothing when the body has been read already. That was `readRawBody`, or a parser
 * of the host app. A host's limit may be larger than ours, and it may have decoded invalid UTF-8: what it replaced is
 * U+FFFD, and is refused as we would have refused the bytes.
 */
const checkEarlier =
  (limit: number): RequestHandler =>
  (req, _res, next) => {
    const { body, rawBody, bodyError } = req as BodyRequest;
    if (bodyError !== undefined) return next(bodyError);
    if (body === undefined) return next();
    const raw = Buffer.isBuffer(rawBody) ? rawBody : undefined;
    const bytes = raw ?? encode(body);
    if (bytes.length > limit) throw new Problem('payload_too_large');
    if (raw ? !isUtf8(raw) : bytes.includes('\uFFFD')) throw new Problem('invalid_request');
    next();
  };

/** A parser of the host app may take what is nested so deep that it cannot be written again. */
function encode(body: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(body));
  } catch (cause) {
    throw new Problem('invalid_request', { cause });
  }
}

/** Reads a JSON body: UTF-8 only, at most 16 kB, never compressed. */
export const jsonBody: readonly RequestHandler[] = [only('json'), checkEarlier(LIMIT), readJson];

/** The same, or the fields of a form. */
export const jsonOrForm: readonly RequestHandler[] = [
  only('json', FORM),
  checkEarlier(LIMIT),
  readJson,
  readSmallForm,
];

/** The fields of a form of at most 16 kB, and nothing else. */
export const smallFormBody: readonly RequestHandler[] = [
  only(FORM),
  checkEarlier(LIMIT),
  readSmallForm,
];

/** The fields of a form of at most 256 kB, and nothing else. */
export const formBody: readonly RequestHandler[] = [
  only(FORM),
  checkEarlier(FORM_LIMIT),
  readForm(FORM_LIMIT),
];

/**
 * Reads the body before its route does, so that a strategy can check a signature over `req.rawBody`. The route's own
 * reader then takes `req.body` as it is. Without a body `rawBody` is empty. It stays undefined if a parser of the host
 * app read the body first and kept no `rawBody` itself (`express.json({ verify })`). JSON that cannot be parsed is no
 * error yet: a stranger is told about the credentials first.
 * @throws {Problem} 415 `unsupported_media_type`; 413 `payload_too_large`; or what else kept the bytes from being read
 */
export async function readRawBody(req: Request, res: Response): Promise<void> {
  const request = req as BodyRequest;
  if (request.rawBody !== undefined) return;
  if (isEmpty(req)) return void (request.rawBody = Buffer.alloc(0));
  if (req.readableEnded) return;
  try {
    for (const read of [readJson, readSmallForm])
      await new Promise<void>((resolve, reject) => {
        read(req, res, (error?: unknown) => {
          if (error === undefined) resolve();
          else reject(error);
        });
      });
  } catch (error) {
    if (request.rawBody === undefined) throw problemOf(error);
    request.bodyError = error;
  }
  if (request.rawBody === undefined) throw new Problem('unsupported_media_type');
}
