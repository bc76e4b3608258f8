import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '#test/support/process';

const files = globSync('src/screens/**/*.tsx', { cwd: root });

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const [, , screen] = file.split('/');

  it('has at most 200 lines', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('imports the client, Preact, what all screens share, and its own', () => {
    const own = `#screens/(ui|${screen})/`;
    const allowed = new RegExp(
      `^(${own}|#src/client/index$|#messages/|preact(/hooks|-iso)?$|@simplewebauthn/browser$)`,
    );
    for (const [, from] of text.matchAll(/(?:from|import\() ?'([^']+)'/g))
      expect(from).toMatch(allowed);
  });

  it('puts nothing into the page but text', () => {
    expect(text).not.toMatch(
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|style=/,
    );
  });
});
