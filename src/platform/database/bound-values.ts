import { DataTypes, type Sequelize } from 'sequelize';

/** A statement with more values has a text that hardly comes again, so it is not prepared. */
const MAX_BOUND_VALUES = 64;

interface Field {
  type?: unknown;
}
type Bind = (value: unknown) => string;
type Options = { bindParam?: Bind | false | undefined } & Record<string, unknown>;

/** The part of Sequelize's query generator that is changed here. */
interface Generator {
  escape(value: unknown, field?: Field, options?: object): string;
  format(value: unknown, field: Field | undefined, options: object, bind: Bind): string;
  whereQuery(where: unknown, options?: Options): string;
  updateQuery(
    table: unknown,
    values: object,
    where: unknown,
    options?: Options,
    attributes?: object,
  ): { query: string; bind?: unknown[] } | '';
}

/**
 * Makes the texts of UPDATE constant. Sequelize binds what is assigned and what is compared by `=`. Every other value
 * (`>`, `<=`, `IN`, `LIKE`) stands in the text, and MySQL would prepare a new statement for each value until it refuses
 * to (`max_prepared_stmt_count`). A `$1` in such a value would also be taken for a parameter. INSERT binds its values
 * already; SELECT and DELETE are sent as text and never prepared.
 */
export function bindComparedValues(sequelize: Sequelize): void {
  const { queryGenerator } = sequelize.getQueryInterface() as unknown as {
    queryGenerator: Generator;
  };
  const original = Object.getPrototypeOf(queryGenerator) as Generator;
  let bind: Bind | undefined;

  Object.assign(queryGenerator, {
    escape(value, field, options = {}) {
      return bind && isBindable(value)
        ? this.format(asText(value, field), field, options, bind)
        : original.escape.call(this, value, field, options);
    },

    whereQuery(where, options) {
      bind = options?.bindParam || undefined;
      try {
        return original.whereQuery.call(this, where, options);
      } finally {
        bind = undefined;
      }
    },

    updateQuery(table, values, where, options = {}, attributes) {
      const made = original.updateQuery.call(this, table, values, where, options, attributes);
      if (!made || (made.bind?.length ?? 0) <= MAX_BOUND_VALUES) return made;
      const unbound = { ...options, bindParam: false } as const;
      return original.updateQuery.call(this, table, values, where, unbound, attributes);
    },
  } satisfies Partial<Generator> & ThisType<Generator>);
}

/** Not `null` and not booleans: `IS ?` is no SQL. */
const isBindable = (value: unknown): boolean =>
  ['string', 'number', 'bigint'].includes(typeof value) ||
  value instanceof Date ||
  Buffer.isBuffer(value);

/** A text column that is compared with the number 0 would match every text, as `escape` knows, too. */
const asText = (value: unknown, field: Field | undefined): unknown =>
  typeof value === 'number' && field?.type instanceof DataTypes.STRING ? String(value) : value;
