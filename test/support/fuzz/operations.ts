import type { Schema } from '#test/support/fuzz/values';

interface Parameter {
  in: string;
  name: string;
  schema: Schema;
}
interface DocumentedOperation {
  security?: Record<string, string[]>[];
  deprecated?: boolean;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, unknown>;
}
export interface ApiDocument {
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { schemas?: Record<string, Schema> };
}

/** One method of one path, as the instance documents it. */
export interface Operation {
  method: string;
  /** With `{id}` for parameters. */
  path: string;
  /** Documented for API clients: refusals are problems. Else it is a page or a compatibility adapter. */
  isApi: boolean;
  isMembersOnly: boolean;
  parameters: readonly Parameter[];
  /** Schema of the body by media type. */
  bodies: Readonly<Record<string, Schema>>;
  /** Documented statuses. Empty: no document says. */
  statuses: readonly number[];
}

/** Every operation of the document, then everything else that is mounted. */
export function operationsOf(document: ApiDocument, mounted: readonly string[]): Operation[] {
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => fromDocument(method, path, operation)),
  );
  const known = new Set(documented.map(({ method, path }) => `${method} ${path}`));
  const others = mounted
    .map((name) => name.replaceAll(/:(\w+)/g, '{$1}'))
    .filter((name) => !known.has(name));
  return [...documented, ...others.map(page)];
}

const fromDocument = (method: string, path: string, operation: DocumentedOperation): Operation => ({
  method: method.toUpperCase(),
  path,
  isApi: operation.deprecated !== true,
  isMembersOnly: (operation.security ?? []).length > 0,
  parameters: operation.parameters ?? [],
  bodies: Object.fromEntries(
    Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) => [
      type,
      schema,
    ]),
  ),
  statuses: Object.keys(operation.responses).flatMap((status) => Number(status) || []),
});

/** A page for people. Its form has fields that no document lists. */
function page(name: string): Operation {
  const [method = '', path = ''] = name.split(' ');
  const text = { type: 'string' };
  const form = { type: 'object', properties: { token: text, password: text, email: text } };
  const bodies: Record<string, Schema> =
    method === 'POST' ? { 'application/x-www-form-urlencoded': form } : {};
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
    in: 'path',
    name: parameter!,
    schema: text,
  }));
  return { method, path, isApi: false, isMembersOnly: false, parameters, bodies, statuses: [] };
}
