import type { Sequelize } from 'sequelize';
import { commitCounter, writeCounter, type CommitCounter } from '#models/commits';
import { open } from '#models/database';
import { ApiKey } from '#models/api-key';
import { Identity } from '#models/identity';
import { Limit } from '#models/limit';
import { OneTimeToken } from '#models/one-time-token';
import { OutgoingMail } from '#models/outgoing-mail';
import { Role } from '#models/role';
import { Session } from '#models/session';
import { SignUp } from '#models/sign-up';
import { SigningKey } from '#models/signing-key';
import { transactionOn } from '#models/transaction';
import { User } from '#models/user';
import { UserRole } from '#models/user-role';

export { ApiKey, Identity, Limit, OneTimeToken, OutgoingMail, Role, Session, SigningKey, SignUp, User, UserRole };

/** The whole data model on one page: which tables there are and how they relate. */
const models = [User, Role, UserRole, Session, SigningKey, Identity, ApiKey, OneTimeToken, OutgoingMail, Limit, SignUp];

function relate() {
  const gone = { onDelete: 'CASCADE', onUpdate: 'CASCADE' } as const;
  User.belongsToMany(Role, { as: 'roles', through: UserRole, foreignKey: 'userId', otherKey: 'roleId', ...gone });
  Role.belongsToMany(User, { as: 'users', through: UserRole, foreignKey: 'roleId', otherKey: 'userId', ...gone });
  User.hasMany(Session, { as: 'sessions', foreignKey: 'userId', ...gone });
  Session.belongsTo(User, { as: 'user', foreignKey: 'userId', ...gone });
  User.hasMany(Identity, { as: 'identities', foreignKey: 'userId', ...gone });
  Identity.belongsTo(User, { as: 'user', foreignKey: 'userId', ...gone });
  User.hasMany(ApiKey, { as: 'apiKeys', foreignKey: 'userId', ...gone });
  ApiKey.belongsTo(User, { as: 'user', foreignKey: 'userId', ...gone });
  User.hasMany(OneTimeToken, { foreignKey: 'userId', ...gone });
}

let counter: CommitCounter | undefined;
let writeCount: CommitCounter;

/** Binds the models to a database. One process, one database. */
export function connect(url: string, options: Parameters<typeof open>[1] = {}): Sequelize {
  const sequelize = open(url, options);
  for (const model of models) model.define(sequelize);
  relate();
  counter = url.startsWith('sqlite:') ? commitCounter(url.slice('sqlite:'.length)) : undefined;
  writeCount = writeCounter(sequelize);
  return sequelize;
}

/**
 * A number that changes with every commit to the embedded database, by this process or any other;
 * undefined with a database server, where nothing tells.
 */
export const commits = (): number | undefined => counter?.();

/** A number that changes whenever this process writes to the database, whichever that is. */
export const writes = (): number => writeCount();

/**
 * All or nothing. A call inside another one joins it. When the database undoes it because of a concurrent one
 * it runs again, at most three times: `fn` may do nothing outside the database that must not happen twice.
 */
export const transaction = <T>(fn: () => Promise<T>): Promise<T> => transactionOn(User.sequelize!, fn);
