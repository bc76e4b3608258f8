import { readFileSync } from 'node:fs';

/** What was seen of a package. */
export interface Row {
  package: string;
  part: string | undefined;
  kind: string;
  needed: string;
  refused: string[];
  seen: string[];
}

const versionOf = (name: string): string => {
  const url = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
};
const line = (cells: string[]) => `| ${cells.join(' | ')} |`;

/** docs/strategies.md */
export const compatibility = (rows: readonly Row[]): string => `# Will my Passport strategy work?

Very likely. The server calls a strategy as Passport does, and one file plugs it in ([the contract](../strategies/README.md)). The packages below are unmodified from npm. Each was used through the whole server over HTTP, had to sign somebody in, and had to refuse everybody else. Their files, of 20 lines at most, are in [test/support/strategies/npm/](../test/support/strategies/npm/): copy the one that is nearest to yours.

They faced a real OpenID provider (oidc-provider) and a real directory (OpenLDAP). Where a service describes its users in words of its own, as GitHub, GitLab, Facebook and Microsoft do, a stand-in on the same machine answered in its form and asked the provider whose token it was. The SAML and the OAuth 1 provider are small ones of the tests, with real signatures.

This page is written by \`test/npm-strategies.test.ts\`. It fails when a row is no longer true.

${line(['Package', 'Version', 'Kind', 'What was needed', 'Signs in', 'Refuses', 'What was seen'])}
${line(['---', '---', '---', '---', '---', '---', '---'])}
${rows.map((row) => line([`\`${row.package}\`${row.part ? ` (${row.part})` : ''}`, versionOf(row.package), row.kind, row.needed, '✓', `✓ ${row.refused.join(', ')}`, row.seen.join('; ')])).join('\n')}

Every strategy of kind \`redirect\` also refused a forged state, a browser that had begun a round trip of its own and came back with somebody else's answer, and the same way back a second time, with its cookie and without. That is the server's doing: it lets nobody come back without the sealed cookie of the round trip, whether the strategy checks a state or not. A strategy that asks for \`express-session\` finds a plain object at \`req.session\`, which travels in that cookie.

## When you write your file

- \`verify(async (…) => user or null)\` becomes the callback that the package wants. Give it as many arguments as the package documents: some choose what they pass by their number.
- Return \`userOf({ subject, … })\` for somebody whom a provider vouches for. Set \`emailVerified\` only if the provider says so.
- \`store: state\` or \`state: true\` is good, and \`pkce: true\` is better where the provider knows it. A package that has neither is safe from forged answers all the same.
- A package that was compiled to CommonJS with an \`export default\` (\`passport-magic-login\`) is loaded with \`createRequire\`.
- Packages read more places than you may think, such as the query. Bodies and queries are checked against the schema of the route, and what else is in them is refused.

## What does not work

- A strategy whose provider's address cannot be set, such as \`passport-discord\`, could not be tried here.
- \`passport-client-cert\` reads the certificate of the TLS connection. This server leaves TLS to a proxy: let the proxy check the certificate and name its owner in a header (\`strategies/header.ts\`).
- What answers the request by itself, such as the \`send\` of \`passport-magic-login\`, is no strategy but a route: it stays with your app.
- A strategy of kind \`bearer\` has its challenge sent only for Digest, which cannot begin without it. A challenge for Basic would open the password window of a browser at every 401, so clients send their password unasked.
`;
