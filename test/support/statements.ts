/**
 * Every statement that Sequelize sends from now on and that is asked for: all but those of the timers that tend the keys and the mails, unless
 * said otherwise. Empty it before what is counted.
 */
export function statementsOf(sequelize: unknown, asked = (sql: string) => !/signing_keys|outgoing_mails/.test(sql)): string[] {
  const statements: string[] = [];
  const { options } = sequelize as { options: { logging: (sql: string) => void } };
  options.logging = (sql) => {
    if (asked(sql)) statements.push(sql.replace(/^Executing \([^)]*\):\s+/, ''));
  };
  return statements;
}
