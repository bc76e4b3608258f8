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

const FORM_FIELDS =
  'token password email identifier name code recoveryCode credential challengeToken mfaToken requestToken'.split(
    ' ',
  );
/** The origin of PUBLIC_URL, by default, of a server that chose its port. */
export const PUBLIC_ORIGIN = 'http://localhost:0';
/** What an app begins a sign-in with. */
const FLOW: Readonly<Record<string, string>> = {
  redirectUri: `${PUBLIC_ORIGIN}/account`,
  codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  state: 'abc',
  ui_locales: 'de',
  login_hint: 'ada',
};

/** A page for people. Its form has fields that no document lists. */
function page(name: string): Operation {
  const [method = '', path = ''] = name.split(' ');
  const text = { type: 'string' };
  const form = {
    type: 'object',
    properties: Object.fromEntries(FORM_FIELDS.map((field) => [field, text])),
  };
  const bodies: Record<string, Schema> =
    method === 'POST' ? { 'application/x-www-form-urlencoded': form } : {};
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
    in: 'path',
    name: parameter!,
    schema: text,
  }));
  const inQuery = Object.entries(FLOW).map(([parameter, value]) => ({
    in: 'query',
    name: parameter,
    schema: { type: 'string', enum: [value] },
  }));
  const parameters = [...inPath, ...(/^\/(sign-|verify)/.test(path) ? inQuery : [])];
  return { method, path, isApi: false, isMembersOnly: false, parameters, bodies, statuses: [] };
}
