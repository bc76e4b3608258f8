import { z } from 'zod';
import { parseEmail, type Fault, type Identifier } from '#src/platform/email-address';

/** A typed name, parsed by `read`. */
export const identifierInput = (read: (typed: string) => Identifier | Fault) =>
  z
    .string()
    .max(512)
    .transform((typed, context): Identifier => {
      const found = read(typed);
      if (!('code' in found)) return found;
      context.addIssue({
        code: 'custom',
        message: found.message,
        params: { code: found.code },
      });
      return z.NEVER;
    });

/** An e-mail address, as it was typed and in its canonical form. */
export const EmailInput = identifierInput(parseEmail).meta({
  description: 'Upper and lower case are the same; dots and `+tags` are not ignored.',
  example: 'ada@example.com',
});
