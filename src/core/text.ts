import { z } from 'zod';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** Text as HTML shows it, in an element or in a quoted attribute. */
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char]!);

/** Text of any script, stored and answered byte for byte. What cannot be seen alone, turns text around or controls, and broken Unicode, is refused. */
export const PlainText = z
  .string()
  .min(1)
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  .refine((text) => text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(text), 'No control characters, please')
  .refine((text) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text) && !/\p{Bidi_Control}/u.test(text), 'This would not be seen as it is');
