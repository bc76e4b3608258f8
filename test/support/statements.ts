/**
 * Collects the statements that Sequelize sends from now on. By default those about keys and mails, which timers send, are
 * left out. Empty the list before what is counted.
 */
export function statementsOf(
  sequelize: unknown,
  asked = (sql: string) => !/signing_keys|outgoing_mails/.test(sql),
): string[] {
  const statements: string[] = [];
  const { options } = sequelize as { options: { logging: (sql: string) => void } };
  options.logging = (sql) => {
    if (asked(sql)) statements.push(sql.replace(/^Executing \([^)]*\):\s+/, ''));
  };
  return statements;
}
