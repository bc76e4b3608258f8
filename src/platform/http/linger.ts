import type { Socket } from 'node:net';

/** A peer that is being left has so many milliseconds to read its answer. So many bytes of it are read meanwhile. */
const [MAX_MS, MAX_BYTES] = [1000, 256 * 1024];
/** How often it is looked at, in milliseconds. */
const LOOK_MS = 10;

/**
 * Sends what is left to send, and says that no more will come. Then stays for a moment, because a connection that is
 * closed over unread bytes is reset, and the client may not have seen the answer yet (RFC 9112 §9.6).
 */
export function endAndLinger(socket: Socket): void {
  socket.end();
  destroyAfter(socket, () => false);
}

/** Cuts a connection after a moment, unless `isOver` says before that what the peer sends came to its end. */
export function destroyAfter(socket: Socket, isOver: () => boolean): void {
  const { bytesRead } = socket;
  const until = performance.now() + MAX_MS;
  // A connection that is kept sees many requests: nothing of this one may stay with it.
  const stop = () => {
    clearInterval(timer);
    socket.off('close', stop);
  };
  const look = () => {
    if (isOver()) stop();
    else if (performance.now() > until) socket.destroy();
    else if (socket.bytesRead - bytesRead > MAX_BYTES) socket.pause(); // its writes wait from now on
  };
  const timer = setInterval(look, LOOK_MS).unref();
  socket.once('close', stop);
}
