/** A package that is installed in bench/ alone. It is not imported by name, because the house is checked without it. */
export const borrowed = async <T>(name: string): Promise<T> => (await import(name)) as T;
