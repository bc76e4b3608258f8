import { UniqueConstraintError } from 'sequelize';
import { Problem } from '#src/platform/http/problem';

/**
 * Runs a write that the unique indexes of users may refuse, and says which name is taken.
 * @throws {Problem} 409 `username_taken`, `email_taken`
 */
export async function mapUniqueViolation<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    const isUsername = JSON.stringify(error.fields).includes('username');
    throw new Problem(isUsername ? 'username_taken' : 'email_taken', { cause: error });
  }
}
