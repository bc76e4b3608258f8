/**
 * The bytes of the body, empty if the request has none. For strategies with `rawBody: true`.
 * @throws {Error} for any other strategy, or if the host app has read the body before
 */
export function rawBodyOf(req: object): Buffer {
  const { rawBody } = req as { rawBody?: unknown };
  if (!Buffer.isBuffer(rawBody))
    throw new Error(
      'There are no bytes of the body: declare `rawBody: true` in the strategy. If the host app reads bodies, it must store the bytes in req.rawBody.',
    );
  return rawBody;
}
