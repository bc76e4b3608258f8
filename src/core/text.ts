import { z } from 'zod';

/** Text of any script, stored and answered byte for byte. Control characters and broken Unicode are refused. */
export const PlainText = z
  .string()
  .min(1)
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  .refine((text) => text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(text), 'No control characters, please');
