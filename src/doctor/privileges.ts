import { QueryTypes, type Sequelize } from 'sequelize';

/** What the server needs: the first four always, the others to migrate. */
const NEEDED = 'SELECT INSERT UPDATE DELETE CREATE ALTER DROP INDEX REFERENCES'.split(' ');

/** What the user of this connection may not do on a database. With roles it may do more than its grants say. */
export async function missingPrivileges(
  sequelize: Sequelize,
  database: string,
): Promise<{ missing: string[]; hasRoles: boolean }> {
  const rows = await sequelize.query<Record<string, string>>('SHOW GRANTS', {
    type: QueryTypes.SELECT,
  });
  const grants = rows.map((row) => Object.values(row)[0]!);
  const parsed = grants.map((grant) => /^GRANT (.+?) ON (\S+)\.\* TO /i.exec(grant));
  const granted = parsed
    .filter((found) => found !== null && covers(found[2]!, database))
    .flatMap((found) => found![1]!.toUpperCase().split(/, */));
  const missing = granted.includes('ALL PRIVILEGES')
    ? []
    : NEEDED.filter((privilege) => !granted.includes(privilege));
  return { missing, hasRoles: grants.some((grant) => !/ ON /i.test(grant)) };
}

/** The name of a database in a grant is a pattern: `%` and `_` stand for others unless `\` is before them. */
function covers(pattern: string, database: string): boolean {
  if (pattern === '*') return true;
  const name = pattern.replaceAll('`', '');
  const source = name.replaceAll(/\\?([%_])|[^\w]/g, (found, wildcard?: string) => {
    if (wildcard && found === wildcard) return wildcard === '%' ? '.*' : '.';
    return `\\${wildcard ?? found}`.replace(/^\\_$/, '_');
  });
  return new RegExp(`^${source}$`, 'i').test(database);
}
