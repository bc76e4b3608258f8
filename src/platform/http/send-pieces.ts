import type { Response } from 'express';

/**
 * Answers with pieces of text, one after the other, as fast as the client takes them. If one cannot be made, the connection
 * breaks off: the status was sent by then. Nothing more is made for a client that has gone.
 */
export async function sendPieces(
  res: Response,
  type: string,
  pieces: AsyncIterable<string>,
): Promise<void> {
  if (res.req.method === 'HEAD')
    return void res.type(type).set('Transfer-Encoding', 'chunked').end();
  try {
    for await (const piece of pieces) {
      if (res.destroyed) return;
      if (!res.headersSent) res.type(type);
      if (!res.write(piece)) await roomIn(res);
    }
    if (!res.headersSent) res.type(type);
    res.end();
  } catch (error) {
    if (!res.headersSent) throw error;
    res.destroy(error as Error);
  }
}

/** Until the client has taken what was sent, or has gone. A long answer waits many times: no listener stays. */
const roomIn = (res: Response) =>
  new Promise<void>((resolve) => {
    const go = () => {
      res.off('drain', go).off('close', go);
      resolve();
    };
    res.on('drain', go).on('close', go);
  });
