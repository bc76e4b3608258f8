import * as fc from 'fast-check';
import type { Cast, Member } from '#test/support/fuzz/cast';
import type { readRoutes } from '#test/support/fuzz/target';
import { someRequest } from '#test/support/fuzz/requests';
import { keep, type Person, type Side } from '#test/support/pair/side';
import { often, type Step } from '#test/support/pair/step';
import * as members from '#test/support/pair/steps-of-members';
import * as operators from '#test/support/pair/steps-of-operators';
import * as strangers from '#test/support/pair/steps-of-strangers';

type Routes = Awaited<ReturnType<typeof readRoutes>>;

const memberOf = ({
  id,
  username,
  email,
  password,
  access,
  refresh,
  sessions,
}: Person): Member => ({
  id,
  username: username ?? email!,
  password,
  token: access.at(-1) ?? 'none',
  refreshToken: refresh.at(-1) ?? 'rt1.none',
  sessionId: sessions.at(-1) ?? 'none',
});

/** Who takes part in the requests of the fuzzer. On both servers the lists have the same length. */
function castOf({ people }: Side): Cast | undefined {
  const all = people.map(memberOf);
  const [user, admin = user] = all;
  if (!user || !admin) return undefined;
  const keys = [...people.flatMap(({ keys }) => keys.map(({ key }) => key)), 'sp_none'];
  const refreshTokens = people.flatMap(({ refresh }) => refresh).concat('rt1.none');
  const lists: [fields: RegExp, values: readonly string[]][] = [
    [/password/i, ['another good passphrase', ...all.map(({ password }) => password)]],
    [/refresh/i, refreshTokens],
    [/token$|^code/i, [...refreshTokens, ...all.map(({ token }) => token), ...keys, '000000']],
    [/email|identifier/i, people.flatMap(({ username, email }) => [username ?? '', email ?? ''])],
    [/name/i, [...all.map(({ username }) => username), 'admin', 'user']],
    [/role|scope/i, ['user', 'moderator', 'admin']],
    [/id$|user|session/i, all.flatMap(({ id, sessionId }) => [id, sessionId])],
  ];
  const known = (field: string) => lists.find(([fields]) => fields.test(field))?.[1] ?? [];
  return { user, admin, keys, refreshTokens, known };
}

/** They answer what differs: the address of the database, the name of a new key. */
const DIFFERENT = ['/admin/settings', '/admin/keys/rotate'];

/** A request of the fuzzer. The same number makes the same request of what each server gave out. */
const fuzzed = ({ operations, components }: Routes): fc.Arbitrary<Step> =>
  fc.nat(2 ** 30).map((seed) => ({
    toString: () => `request ${seed} of the fuzzer`,
    async run(side) {
      const cast = castOf(side);
      if (!cast) return 'nobody';
      const same = operations.filter(({ path }) => !DIFFERENT.includes(path));
      const request = someRequest(same, components, cast);
      const answer = await side.send(fc.sample(request, { seed, numRuns: 1 })[0]!);
      keep(side, answer);
      return answer;
    },
  }));

/** What may be asked next, and how often of about 1000. */
export const someStep = (routes: Routes): fc.Arbitrary<Step> =>
  fc.oneof(
    often(110, strangers.register),
    often(90, strangers.logIn),
    often(15, strangers.logInOften),
    often(20, strangers.basic),
    often(100, strangers.refresh),
    often(50, strangers.signOut),
    often(40, strangers.askForMail),
    often(70, strangers.useMail),
    often(70, members.read),
    often(30, members.readOn),
    often(30, members.search),
    often(40, members.rename),
    often(40, members.changePassword),
    often(40, members.changeEmail),
    often(20, members.prove),
    often(40, members.endSession),
    often(40, members.makeKey),
    often(30, members.useKey),
    often(20, members.leave),
    often(60, operators.operate),
    often(10, operators.setPassword),
    often(50, operators.role),
    often(10, operators.createRole),
    often(20, operators.find),
    often(150, fuzzed(routes)),
  );

/** Two people are there, and one of them is an administrator. */
export const beginning: readonly Step[] = [
  ...['anna', 'kim'].flatMap((name) => [
    strangers.registering(name),
    strangers.confirming,
    strangers.entering,
  ]),
  operators.granting('admin'),
];

/** Milliseconds that pass before a step: mostly a second. */
export const somePause = fc.oneof(
  { weight: 30, arbitrary: fc.constant(1000) },
  fc.constantFrom(21_000, 400_000, 700_000, 3_700_000, 86_400_000, 15 * 86_400_000),
);
