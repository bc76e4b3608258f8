import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, grants, Permission, sortedPermissions } from '#src/users/permissions';
import { runs } from '#test/support/properties';

// The rules are a public promise and have no state. So they are tried without a server.
const isPermission = (text: unknown) => Permission.safeParse(text).success;

describe('the text of a permission', () => {
  it.each([
    ['*'],
    ['users:*'],
    ['users:read'],
    ['invoice-lines:read_all'],
    ['a:b'],
    ['a1_-:b2_-'],
    [`a:${'b'.repeat(62)}`],
  ])('may be %s', (text) => {
    expect(isPermission(text)).toBe(true);
  });

  it.each<[unknown]>([
    [''],
    [' '],
    ['users'],
    ['users:'],
    [':read'],
    [':'],
    [':*'],
    ['*:'],
    ['*:read'],
    ['*:*'],
    ['**'],
    ['users:*:x'],
    ['users:read:x'],
    ['users:re*'],
    ['us*:read'],
    ['users:**'],
    ['users::read'],
    ['Users:read'],
    ['users:READ'],
    ['users:read '],
    [' users:read'],
    ['users:read\n'],
    ['users :read'],
    ['users:read users:write'],
    ['users:read,users:write'],
    ['users.read'],
    ['users/read'],
    ['1users:read'],
    ['users:1read'],
    ['-users:read'],
    ['users:_read'],
    ['usérs:read'],
    ['u\u0455ers:read'], // a Cyrillic letter
    ['users：read'],
    ['ｕsers:read'],
    ['users:read\u0000'],
    ['users:\u200bread'],
    ['＊'],
    ['∗'],
    [`a:${'b'.repeat(63)}`],
    [null],
    [1],
    [['users:read']],
    [{ toString: () => 'users:read' }],
  ])('may not be %j', (text) => {
    expect(isPermission(text)).toBe(false);
  });
});

describe('what a permission grants', () => {
  it.each<[held: string[], wanted: string, answer: boolean]>([
    [[], 'users:read', false],
    [['users:read'], 'users:read', true],
    [['users:read'], 'users:write', false],
    [['users:read'], 'users:rea', false],
    [['users:rea'], 'users:read', false],
    [['users:*'], 'users:read', true],
    [['users:*'], 'users:*', true],
    [['users:*'], 'usersx:read', false],
    [['users:*'], 'user:read', false],
    [['users:*'], '*', false],
    [['users:read', 'users:write'], 'users:*', false],
    [['*'], 'users:read', true],
    [['*'], 'users:*', true],
    [['*'], '*', true],
    [['a:*', 'b:*'], '*', false],
    // What never was a permission is granted by `*` only.
    [['users:*'], 'usersX', false],
    [['users:*'], 'users', false],
    [['*:*'], '*', false],
  ])('holding %j, %s: %s', (held, wanted, answer) => {
    expect(grants(held, wanted)).toBe(answer);
  });
});

const name = fc.constantFrom('a', 'b', 'ab', 'a-b');
const permission = fc.oneof(
  { weight: 1, arbitrary: fc.constant('*') },
  { weight: 3, arbitrary: name.map((resource) => `${resource}:*`) },
  {
    weight: 6,
    arbitrary: fc.tuple(name, name).map(([resource, action]) => `${resource}:${action}`),
  },
);
const set = fc.array(permission, { maxLength: 6 });

describe('the rules of wildcards', () => {
  it('parse whatever they grant', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
        if (isPermission(text)) expect(grants(['*'], text)).toBe(true);
        else expect(grants(['a:*', 'b:read'], text)).toBe(false);
      }),
      runs(),
    );
  });

  it('hold for what one has: a set covers itself, in any order, however often', () => {
    fc.assert(
      fc.property(set, (held) => {
        expect(covers(held, held.toReversed())).toBe(true);
        expect(covers(held, [])).toBe(true);
        expect(covers(sortedPermissions([...held, ...held]), held)).toBe(true);
        expect(covers(held, sortedPermissions(held))).toBe(true);
      }),
      runs(),
    );
  });

  it('are transitive: who covers a set covers all that the set covers', () => {
    fc.assert(
      fc.property(set, set, set, (a, b, c) => {
        if (!covers(a, b) || !covers(b, c)) return;
        expect(covers(a, c)).toBe(true);
      }),
      runs(),
    );
    // Few random sets cover another one, so most of those above say little. These all do.
    fc.assert(
      fc.property(set, permission, (held, wanted) => {
        const between = held.filter((each) => grants([each], wanted));
        expect(grants(held, wanted)).toBe(between.length > 0);
      }),
      runs(),
    );
  });

  it('are monotonic: more permissions never allow less', () => {
    fc.assert(
      fc.property(set, set, permission, (held, more, wanted) => {
        if (grants(held, wanted)) expect(grants([...held, ...more], wanted)).toBe(true);
      }),
      runs(),
    );
  });

  it('add up: two sets grant nothing together that neither grants alone', () => {
    fc.assert(
      fc.property(set, set, permission, (a, b, wanted) => {
        expect(grants([...a, ...b], wanted)).toBe(grants(a, wanted) || grants(b, wanted));
      }),
      runs(),
    );
  });
});
