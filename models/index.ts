import type { Sequelize } from 'sequelize';
import { ApiKey } from '#models/api-key';
import { AuditChain } from '#models/audit-chain';
import { AuditDay } from '#models/audit-day';
import { AuditEntry } from '#models/audit-entry';
import { AuditKey } from '#models/audit-key';
import { Factor } from '#models/factor';
import { Identity } from '#models/identity';
import { Invitation } from '#models/invitation';
import { Limit } from '#models/limit';
import { OneTimeToken } from '#models/one-time-token';
import { OutgoingMail } from '#models/outgoing-mail';
import { Passkey } from '#models/passkey';
import { RecoveryCode } from '#models/recovery-code';
import { Role } from '#models/role';
import { Service } from '#models/service';
import { Session } from '#models/session';
import { SignUp } from '#models/sign-up';
import { SigningKey } from '#models/signing-key';
import { User } from '#models/user';
import { UserNumber } from '#models/user-number';
import { UserRole } from '#models/user-role';
import { Webhook } from '#models/webhook';
import { WebhookCursor } from '#models/webhook-cursor';
import { WebhookDelivery } from '#models/webhook-delivery';

export type {
  ApiKey,
  AuditChain,
  AuditDay,
  AuditEntry,
  AuditKey,
  Factor,
  Identity,
  Invitation,
  OneTimeToken,
  OutgoingMail,
  Passkey,
  Role,
  Service,
  Session,
  SigningKey,
  SignUp,
  User,
  Webhook,
  WebhookDelivery,
};

/** The tables of one instance. Each is a subclass of the class in its file, bound to the Sequelize of the instance. */
export type Models = ReturnType<typeof defineModels>;

/** The whole data model on one page: which tables exist and how they relate. */
export function defineModels(sequelize: Sequelize) {
  const models = {
    User: User.define(sequelize),
    Role: Role.define(sequelize),
    UserRole: UserRole.define(sequelize),
    Session: Session.define(sequelize),
    SigningKey: SigningKey.define(sequelize),
    Identity: Identity.define(sequelize),
    ApiKey: ApiKey.define(sequelize),
    OneTimeToken: OneTimeToken.define(sequelize),
    OutgoingMail: OutgoingMail.define(sequelize),
    Limit: Limit.define(sequelize),
    SignUp: SignUp.define(sequelize),
    UserNumber: UserNumber.define(sequelize),
    Factor: Factor.define(sequelize),
    Passkey: Passkey.define(sequelize),
    RecoveryCode: RecoveryCode.define(sequelize),
    Invitation: Invitation.define(sequelize),
    AuditEntry: AuditEntry.define(sequelize),
    AuditChain: AuditChain.define(sequelize),
    AuditDay: AuditDay.define(sequelize),
    AuditKey: AuditKey.define(sequelize),
    Webhook: Webhook.define(sequelize),
    WebhookDelivery: WebhookDelivery.define(sequelize),
    WebhookCursor: WebhookCursor.define(sequelize),
    Service: Service.define(sequelize),
  };
  relate(models);
  return models;
}

function relate({
  User,
  Role,
  UserRole,
  Session,
  Identity,
  ApiKey,
  OneTimeToken,
  UserNumber,
  Factor,
  Passkey,
  RecoveryCode,
  Invitation,
  Webhook,
  WebhookDelivery,
}: {
  User: typeof import('#models/user').User;
  Role: typeof import('#models/role').Role;
  UserRole: typeof import('#models/user-role').UserRole;
  Session: typeof import('#models/session').Session;
  Identity: typeof import('#models/identity').Identity;
  ApiKey: typeof import('#models/api-key').ApiKey;
  OneTimeToken: typeof import('#models/one-time-token').OneTimeToken;
  UserNumber: typeof import('#models/user-number').UserNumber;
  Factor: typeof import('#models/factor').Factor;
  Passkey: typeof import('#models/passkey').Passkey;
  RecoveryCode: typeof import('#models/recovery-code').RecoveryCode;
  Invitation: typeof import('#models/invitation').Invitation;
  Webhook: typeof import('#models/webhook').Webhook;
  WebhookDelivery: typeof import('#models/webhook-delivery').WebhookDelivery;
}) {
  const cascade = { onDelete: 'CASCADE', onUpdate: 'CASCADE' } as const;
  const link = { through: UserRole, ...cascade };
  User.belongsToMany(Role, { as: 'roles', foreignKey: 'userId', otherKey: 'roleId', ...link });
  Role.belongsToMany(User, { as: 'users', foreignKey: 'roleId', otherKey: 'userId', ...link });
  const owned = { foreignKey: 'userId', ...cascade };
  User.hasMany(Session, { as: 'sessions', ...owned });
  Session.belongsTo(User, { as: 'user', ...owned });
  User.hasMany(Identity, { as: 'identities', ...owned });
  Identity.belongsTo(User, { as: 'user', ...owned });
  User.hasMany(ApiKey, { as: 'apiKeys', ...owned });
  ApiKey.belongsTo(User, { as: 'user', ...owned });
  User.hasMany(OneTimeToken, owned);
  User.hasOne(UserNumber, owned);
  User.hasMany(Factor, owned);
  Factor.hasOne(Passkey, { as: 'passkey', foreignKey: 'factorId', ...cascade });
  Passkey.belongsTo(Factor, { as: 'factor', foreignKey: 'factorId', ...cascade });
  User.hasMany(RecoveryCode, owned);
  User.hasMany(Invitation, { foreignKey: 'invitedBy', ...cascade });
  WebhookDelivery.belongsTo(Webhook, { as: 'webhook', foreignKey: 'webhookId', ...cascade });
}

/** The database of one instance: its models, and its transactions. */
export interface Db extends Models {
  readonly sequelize: Sequelize;
  /** The models alone, for an app that embeds the server. */
  readonly models: Models;
  /** See `TransactionalSequelize.atomically`. */
  readonly transaction: <T>(fn: () => Promise<T>) => Promise<T>;
  /** See `TransactionalSequelize.afterCommit`. */
  readonly afterCommit: (work: () => void) => void;
  /** See `TransactionalSequelize.collect`. */
  readonly collect: (item: unknown) => void;
  /** See `TransactionalSequelize.writeCollected`. */
  readonly writeCollected: (write: (items: readonly unknown[]) => Promise<void>) => void;
  /** See `TransactionalSequelize.select`. */
  readonly select: <Row extends object>(sql: string, bind: readonly string[]) => Promise<Row[]>;
  /** Makes a span of a look-up that waits for a statement which it shares with others. Undefined: there are no traces. */
  readonly traceLookUp: (<T>(sql: string, work: () => Promise<T>) => Promise<T>) | undefined;
  /** See `TransactionalSequelize.isInTransaction`. */
  readonly isInTransaction: () => boolean;
  /**
   * A number that changes with every commit to the embedded database, by any process. Undefined with a database server,
   * which does not tell.
   */
  readonly commits: () => number | undefined;
  /** A number that changes whenever this instance writes. */
  readonly writes: () => number;
  readonly close: () => Promise<void>;
}
