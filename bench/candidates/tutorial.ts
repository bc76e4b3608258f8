import { randomUUID } from 'node:crypto';
import bcrypt from 'bcrypt';
import express, { type RequestHandler } from 'express';
import jwt from 'jsonwebtoken';
import { DataTypes, Sequelize, type Model } from 'sequelize';
import { profileOf } from '#people';

/**
 * A server as the popular tutorials build one: a token signed with a string, and at each guard the user by its key, then
 * its roles. Rows are model instances. The user is put on the request, so that no route asks for it a second time.
 */
interface Row extends Model {
  id: string;
  username: string;
  email: string;
  name: string;
  password: string;
  token: string;
  userId: string;
  expiresAt: Date;
  getRoles(): Promise<Row[]>;
  setRoles(roles: Row[]): Promise<void>;
}
const SECRET = 'the-secret-key-of-a-tutorial';
const COST = Number(process.env['BCRYPT_COST']);
const DAY = 86_400;

const db = new Sequelize(process.env['DATABASE_URL']!, { dialect: 'mysql', logging: false });
const text = DataTypes.STRING;
const id = { type: DataTypes.UUID, primaryKey: true, defaultValue: () => randomUUID() };
const User = db.define<Row>('users', {
  id,
  username: { type: text, unique: true },
  email: { type: text, unique: true },
  name: text,
  password: text,
});
const Role = db.define<Row>('roles', { name: text });
const RefreshToken = db.define<Row>('refreshTokens', {
  token: { type: text, unique: true },
  expiresAt: DataTypes.DATE,
});
User.belongsToMany(Role, { through: 'user_roles', as: 'roles' });
Role.belongsToMany(User, { through: 'user_roles' });
RefreshToken.belongsTo(User, { foreignKey: 'userId' });
await db.sync();
await Role.bulkCreate(['user', 'moderator', 'admin'].map((name) => ({ name })));

const accessTokenOf = (userId: string) => jwt.sign({ id: userId }, SECRET, { expiresIn: DAY });

const verifyToken: RequestHandler = (req, res, next) => {
  const token = req.headers.authorization?.split(' ')[1];
  if (!token) return void res.status(403).send({ message: 'No token' });
  jwt.verify(token, SECRET, (error, claims) => {
    if (error || typeof claims !== 'object') return res.status(401).send({ message: 'No entry' });
    res.locals['userId'] = claims['id'] as string;
    return next();
  });
};
/** Loads the user and the roles, as `isAdmin` and `isModerator` do in each of these tutorials. */
const hasRole =
  (name?: string): RequestHandler =>
  async (_req, res, next) => {
    const user = await User.findByPk(res.locals['userId'] as string);
    if (!user) return void res.status(401).send({ message: 'No user' });
    const roles = (await user.getRoles()).map((role) => role.name);
    if (name && !roles.includes(name)) return void res.status(403).send({ message: 'No role' });
    Object.assign(res.locals, { user, roles });
    next();
  };
const answerProfile: RequestHandler = (_req, res) => {
  const user = res.locals['user'] as Row;
  res.json(profileOf(user.id, user, res.locals['roles'] as string[]));
};

const app = express();
app.use(express.json());
app.get('/me', verifyToken, hasRole(), answerProfile);
app.get('/editors', verifyToken, hasRole('user'), answerProfile);

app.post('/api/auth/signup', async (req, res) => {
  const { username, email, name, password } = req.body as Record<string, string>;
  const taken =
    (await User.findOne({ where: { username: username! } })) ??
    (await User.findOne({ where: { email: email! } }));
  if (taken) return void res.status(400).send({ message: 'Taken' });
  const user = await User.create({
    username,
    email,
    name,
    password: await bcrypt.hash(password!, COST),
  });
  const role = await Role.findOne({ where: { name: 'user' } });
  await user.setRoles([role!]);
  res.send({ message: 'User was registered successfully!' });
});

app.post('/api/auth/signin', async (req, res) => {
  const { username, password } = req.body as Record<string, string>;
  const user = await User.findOne({ where: { username: username! } });
  if (!user || !(await bcrypt.compare(password!, user.password)))
    return void res.status(401).send({ message: 'Invalid' });
  const roles = (await user.getRoles()).map(({ name }) => `ROLE_${name.toUpperCase()}`);
  const { token } = await RefreshToken.create({
    token: randomUUID(),
    userId: user.id,
    expiresAt: new Date(Date.now() + DAY * 1000),
  });
  const accessToken = accessTokenOf(user.id);
  res.send({ id: user.id, username, email: user.email, roles, accessToken, refreshToken: token });
});

app.post('/api/auth/refreshtoken', async (req, res) => {
  const { refreshToken } = req.body as Record<string, string>;
  const row = await RefreshToken.findOne({ where: { token: refreshToken! } });
  if (!row || row.expiresAt.getTime() < Date.now())
    return void res.status(403).send({ message: 'Expired' });
  res.json({ accessToken: accessTokenOf(row.userId), refreshToken: row.token });
});

app.listen(Number(process.env['PORT']), '127.0.0.1');
