import type { ZodType } from 'zod';

interface ObjectSchema {
  type?: unknown;
  properties?: Record<string, unknown>;
  required?: string[];
  additionalProperties?: unknown;
}

/**
 * Says in the OpenAPI document which fields of an object go together: one of `choices` must be there. With `oneOf`
 * exactly one; with `anyOf` there may be more. Parsing does not change: the schema itself must check the rule.
 *
 *     oneOfFields(z.strictObject({ … }), [['token'], ['email', 'code']], 'oneOf').meta({ id: 'EmailProof' })
 *
 * Each choice becomes a whole object. Generators make no useful type of an object with a list of `required` beside it:
 * openapi-typescript reads `anyOf: [{ required }]` as `unknown`.
 */
export const oneOfFields = <T extends ZodType>(
  schema: T,
  choices: readonly (readonly string[])[],
  how: 'oneOf' | 'anyOf',
): T =>
  schema.meta({
    override: ({ jsonSchema }: { jsonSchema: object }) => split(jsonSchema, choices, how),
  });

/** Runs again for a schema that was derived from this one. There is nothing left to do then. */
function split(
  schema: ObjectSchema,
  choices: readonly (readonly string[])[],
  how: 'oneOf' | 'anyOf',
): void {
  const { type, properties, required = [], additionalProperties, ...rest } = schema;
  if (properties === undefined) return;
  const alternatives = choices.map((choice) => {
    const others = how === 'oneOf' ? choices.flat().filter((name) => !choice.includes(name)) : [];
    const allowed = Object.entries(properties).filter(([name]) => !others.includes(name));
    return {
      type,
      properties: Object.fromEntries(allowed),
      required: [...new Set([...choice, ...required])],
      additionalProperties,
    };
  });
  for (const name of Object.keys(schema)) delete (schema as Record<string, unknown>)[name];
  Object.assign(schema, rest, { [how]: alternatives });
}
