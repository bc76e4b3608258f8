/** Tasks that timers and mails begin: what they send belongs to no request. */
const OF_A_TASK = /DELETE FROM `outgoing_mails`|`audit_chain`/;

/**
 * Collects the statements that Sequelize sends from now on. By default those about keys and mails, which timers send, are
 * left out, and so are the transactions in which the outbox and the audit trail do their work. Empty the list before what is counted.
 */
export function statementsOf(
  sequelize: unknown,
  asked = (sql: string) => !/signing_keys|outgoing_mails/.test(sql),
): string[] {
  const statements: string[] = [];
  const { options } = sequelize as { options: { logging: (sql: string) => void } };
  /** By transaction: its BEGIN, until it is known whose it is. Undefined: it is of a task. */
  const begun = new Map<string, string | undefined>();
  options.logging = (line) => {
    const [, id = '', sql = line] = /^Executing \(([^)]*)\):\s+([^]*)$/.exec(line) ?? [];
    if (/^(BEGIN|START TRANSACTION)/.test(sql)) return void begun.set(id, sql);
    if (begun.has(id)) {
      const begin = begun.get(id);
      if (begin === undefined) return;
      if (OF_A_TASK.test(sql)) return void begun.set(id, undefined);
      begun.delete(id);
      if (asked(`Executing (${id}): ${begin}`)) statements.push(begin);
    }
    if (asked(line)) statements.push(sql);
  };
  return statements;
}
