import { UniqueConstraintError } from 'sequelize';
import { Problem } from '#src/core/problem';

/** Runs a write that the unique indexes may refuse, and says which name it was. Throws 409 `username_taken` or `email_taken`. */
export async function refuseTaken<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    throw new Problem(JSON.stringify(error.fields).includes('username') ? 'username_taken' : 'email_taken', { cause: error });
  }
}
