import type { RequestHandler } from 'express';

/**
 * Several middleware as one, in this order. Express compares the path and copies the parameters for each one that is
 * mounted by itself, which costs more than most of them do. An error goes to `next` in the context in which it was thrown.
 */
export const together =
  (...all: readonly RequestHandler[]): RequestHandler =>
  (req, res, next) => {
    let at = 0;
    const go = (error?: unknown): void => {
      const run = error ? undefined : all[at++];
      if (!run) return next(error);
      try {
        const running: unknown = run(req, res, go);
        if (running instanceof Promise) running.catch(next);
      } catch (thrown) {
        next(thrown);
      }
    };
    go();
  };
