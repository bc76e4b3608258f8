import { z } from 'zod';
import type { Context } from '#src/context';
import type { FactorKind, FactorRequest } from '#src/factors/factor-kind';
import { factorKinds } from '#src/factors/kinds';
import { Problem } from '#src/platform/http/problem';

/** The members of a body that answer for a second factor, one for each kind. All are optional. */
export const factorAnswers = Object.fromEntries(
  factorKinds.map(({ member, answer }) => [member, answer.optional()]),
);
export const factorMembers: readonly string[] = Object.keys(factorAnswers);

/** The answer in a body, and the kind that it is of. */
export interface GivenFactor {
  kind: FactorKind;
  answer: unknown;
}

/** How many kinds of factor a body answers for. */
export const answersIn = (body: object): number =>
  factorMembers.filter((member) => Object.hasOwn(body, member)).length;

/** What a body answers. Of several, the first. */
export function factorIn(body: Readonly<Record<string, unknown>>): GivenFactor | undefined {
  const kind = factorKinds.find(({ member }) => body[member] !== undefined);
  return kind && { kind, answer: body[kind.member] };
}

/** What second factors need before they can answer, such as the options of WebAuthn, by their members. */
export const FactorOptions = z
  .object(
    Object.fromEntries(
      factorKinds.flatMap(({ options }) =>
        options ? [[options.member, options.schema.optional()]] : [],
      ),
    ),
  )
  .meta({ id: 'SecondFactorOptions' });

/** @throws {Problem} 404 `not_found` for a user without such a factor: codes need nothing */
export async function factorOptions(
  ctx: Context,
  request: FactorRequest,
): Promise<Record<string, object>> {
  const found: Record<string, object> = {};
  for (const { options } of factorKinds) {
    const made = await options?.make(ctx, request);
    if (options && made) found[options.member] = made;
  }
  if (Object.keys(found).length === 0) throw new Problem('not_found');
  return found;
}
