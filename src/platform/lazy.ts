/**
 * What is made when it is first needed, and once, also for two who need it at the same time. If that fails, the next one
 * tries again. A library that only some settings need is imported inside of `make` or of the function that uses it, and
 * early, by `loadWhatIsOn` in `tasks`, where its setting is on: then no request waits for it.
 */
export const lazy = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
};
