import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Problem, Result, State } from '#src/client/index';
import { client } from '#screens/ui/client';

/** Who is signed in, kept up to date. */
export function useSession(): State {
  const [state, setState] = useState(client.state);
  useEffect(() => {
    setState(client.state);
    return client.onChange(setState);
  }, []);
  return state;
}

export interface Loaded<T> {
  /** Undefined until it is there. What was there stays while it is loaded again. */
  body?: T;
  problem?: Problem;
  reload: () => Promise<void>;
}

/**
 * @public
 * Asks the server now, and again when one of `inputs` changes. An answer that is overtaken is dropped.
 */
export function useLoad<T>(ask: () => Promise<Result<T>>, inputs: unknown[] = []): Loaded<T> {
  const [loaded, setLoaded] = useState<Omit<Loaded<T>, 'reload'>>({});
  const newest = useRef(0);
  const reload = useCallback(async () => {
    const turn = ++newest.current;
    const answer = await ask();
    if (turn !== newest.current) return;
    setLoaded((before) =>
      answer.ok ? { body: answer.body } : { ...before, problem: answer.body },
    );
  }, inputs);
  useEffect(() => void reload(), [reload]);
  return { ...loaded, reload };
}

export interface Pages<T> {
  rows: T[];
  problem?: Problem;
  isLoading: boolean;
  /** Undefined on the last page. */
  more?: (() => void) | undefined;
  reload: () => void;
}

/** A list by cursor: each page is added to those before. */
export function usePages<T>(
  ask: (
    cursor: string | undefined,
  ) => Promise<Result<{ readonly data: readonly T[]; nextCursor: string | null }>>,
  inputs: unknown[] = [],
): Pages<T> {
  const [state, setState] = useState<{ rows: T[]; cursor: string | null; problem?: Problem }>({
    rows: [],
    cursor: null,
  });
  const [isLoading, setLoading] = useState(true);
  const newest = useRef(0);
  const load = useCallback(async (cursor?: string) => {
    const turn = ++newest.current;
    setLoading(true);
    const answer = await ask(cursor);
    if (turn !== newest.current) return;
    setLoading(false);
    setState((before) => {
      if (!answer.ok) return { ...before, problem: answer.body };
      const { data, nextCursor } = answer.body;
      return { rows: cursor ? [...before.rows, ...data] : [...data], cursor: nextCursor };
    });
  }, inputs);
  useEffect(() => void load(), [load]);
  const { rows, cursor, problem } = state;
  return {
    rows,
    ...(problem && { problem }),
    isLoading,
    more: cursor === null ? undefined : () => void load(cursor),
    reload: () => void load(),
  };
}
