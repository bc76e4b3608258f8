import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '#test/support/process';

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
  const file = join(root, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
};
const line = (cells: string[]) => `| ${cells.join(' | ')} |`;

/** docs/strategies.md */
export const compatibility = (rows: readonly Row[]): string => `# Will my Passport strategy work?

Very likely. The server calls a strategy as Passport does, and one file plugs it in ([the contract](../strategies/README.md)). The packages below are unmodified from npm. Each was used in the whole server over HTTP. It had to sign a user in and to refuse everybody else. Their files are in [test/support/strategies/npm/](../test/support/strategies/npm/) and have 40 lines at most: copy the one that is nearest to yours.

They were tested with a real OpenID provider (oidc-provider) and a real directory (OpenLDAP). GitHub, GitLab, Facebook and Microsoft describe their users in formats of their own. For each of them a small server on the same machine answered in that format, and asked the OpenID provider whose token it was. The SAML and the OAuth 1 provider are small ones of the tests, with real signatures.

\`test/strategies/npm-strategies.test.ts\` writes this page. It fails when a row is no longer true.

${line(['Package', 'Version', 'Kind', 'What was needed', 'Signs in', 'Refuses', 'What was seen'])}
${line(['---', '---', '---', '---', '---', '---', '---'])}
${rows.map((row) => line([`\`${row.package}\`${row.part ? ` (${row.part})` : ''}`, versionOf(row.package), row.kind, row.needed, '✓', `✓ ${row.refused.join(', ')}`, row.seen.join('; ')])).join('\n')}

Every strategy of kind \`redirect\` also refused a forged state, a callback in a browser that had started another authorization request, and the same callback a second time, with its cookie and without. The server does this: it accepts a callback only with the encrypted cookie of its authorization request, whether the strategy checks a state or not. A strategy that asks for \`express-session\` finds a plain object at \`req.session\`, which is sent in that cookie.

## When you write your file

- \`verify(async (…) => user or null)\` becomes the callback that the package wants. Give it as many parameters as the package documents: some packages choose what they pass by their number.
- Return \`resolveUser({ subject, … })\` for a user whom a provider named. Set \`emailVerified\` only if the provider says so.
- \`store: state\` or \`state: true\` is good, and \`pkce: true\` is better where the provider knows it. A package that has neither is safe from forged callbacks all the same.
- Ask for a code or a link in a step (\`steps\`), and make it with \`codes\`: digits and tokens are digests in the database, guesses are counted, and one caller gets it. \`store\` is for other values: what one node stores, every node finds, and \`take\` gives it to one caller.
- A package that was compiled to CommonJS with an \`export default\` (\`passport-magic-login\`) is loaded with \`createRequire\`.
- Packages read more than they document, such as the query. The server checks bodies and queries against the schema of the route, and refuses what else is in them.

## What does not work

- A strategy whose provider's address cannot be set, such as \`passport-discord\`, could not be tested here.
- \`passport-client-cert\` reads the certificate of the TLS connection. This server leaves TLS to a proxy: let the proxy check the certificate and name its owner in a header (\`strategies/header.ts\`).
- What answers the request by itself, such as the \`send\` of \`passport-magic-login\`, is a route and no strategy. Write a step, or leave it in your app.
- Of the challenges of \`bearer\` strategies only that of Digest is sent, because Digest cannot begin without it. A challenge for Basic would open the password window of a browser at every 401, so clients send their password unasked.
`;
