/**
 * Every statement that Sequelize sends from now on and that is asked for: all but those of the timer that tends the keys, unless said
 * otherwise. Empty it before what is counted.
 */
export function statementsOf(sequelize: unknown, asked = (sql: string) => !sql.includes('signing_keys')): string[] {
  const statements: string[] = [];
  const { options } = sequelize as { options: { logging: (sql: string) => void } };
  options.logging = (sql) => {
    if (asked(sql)) statements.push(sql.replace(/^Executing \([^)]*\):\s+/, ''));
  };
  return statements;
}
