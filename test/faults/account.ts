import type { Ledger } from '#test/faults/ledger';
import type { Answer, Question } from '#test/support/client';

export type Ask = (method: string, path: string, question?: Question) => Promise<Answer>;

interface Tokens {
  accessToken: string;
  refreshToken: string;
}

let made = 0;
const newPassword = () => `correct horse battery ${++made}`;
const generationOf = (token: string) =>
  Buffer.from(token.slice('rt1.'.length), 'base64url').readUInt32BE(21);

/**
 * A user whom one client alone uses, so that after each acknowledged request it is known exactly what the server must
 * answer. A request without an answer is repeated until it has one: then the state is known again.
 */
export class Account {
  readonly username = `user-${++made}`;
  readonly #ledger: Ledger;
  readonly #ask: Ask;
  #password = newPassword();
  #earlierPassword: string | undefined;
  #name: string | null = null;
  #held: Tokens | undefined;
  #ended: Tokens | undefined;

  constructor(ledger: Ledger, ask: Ask) {
    this.#ledger = ledger;
    this.#ask = ask;
  }

  /** The requests of the mixed load, each with its share. */
  readonly steps: readonly (readonly [share: number, step: () => Promise<void>])[] = [
    [25, () => this.read()],
    [20, () => this.refresh()],
    [15, () => this.rename()],
    [15, () => this.changePassword()],
    [10, () => this.logIn()],
    [15, () => this.signOut()],
  ];

  async signUp(): Promise<void> {
    const body = { username: this.username, password: this.#password };
    const { status, body: tokens } = await this.#sure(
      'sign-up',
      ['POST', '/auth/register', { body }],
      ({ status }, again) => status === 201 || (again && status === 409),
    );
    this.#ledger.signedUp.add(this.username);
    if (status === 201) this.#held = tokens;
    else await this.logIn();
  }

  async logIn(): Promise<void> {
    const { body } = await this.#sure('login', this.#credentials(this.#password), isOk);
    this.#held = body;
  }

  async read(): Promise<void> {
    const { body } = await this.#guarded('GET', '/me');
    if (body.username !== this.username || body.name !== this.#name || body.roles.length !== 1)
      this.#lost(`GET /me answers ${JSON.stringify(body)}, the name is ${this.#name}`);
  }

  async rename(): Promise<void> {
    const name = `name ${++made}`;
    await this.#guarded('PATCH', '/me', { name });
    this.#name = name;
  }

  async refresh(): Promise<void> {
    await this.#renew(false);
  }

  /** `mayHaveEnded`: an earlier request without an answer may have ended the session. Then this answers the refusal. */
  async #renew(mayHaveEnded: boolean): Promise<Answer | undefined> {
    const before = this.#held!.refreshToken;
    const answer = await this.#sure(
      'refresh',
      refreshWith(before),
      ({ status }) => status === 200 || (mayHaveEnded && status === 400),
    );
    if (answer.status !== 200) return answer;
    const { body } = answer;
    if (generationOf(body.refreshToken) !== generationOf(before) + 1)
      this.#lost('a refresh token has more than one successor');
    this.#held = body;
    return undefined;
  }

  /** A change whose answer was lost has ended the session. Then the new password must work. */
  async changePassword(): Promise<void> {
    const [currentPassword, wanted] = [this.#password, newPassword()];
    const { status, body } = await this.#guarded(
      'PUT',
      '/me/password',
      { currentPassword, newPassword: wanted },
      ({ status }, again) => status === 200 || (again && status === 401),
    );
    this.#ended = this.#held;
    [this.#earlierPassword, this.#password] = [currentPassword, wanted];
    if (status === 200) this.#held = body;
    else await this.logIn();
  }

  async signOut(): Promise<void> {
    const { refreshToken } = this.#held!;
    await this.#sure(
      'sign-out',
      ['POST', '/auth/logout', { body: { refreshToken } }],
      ({ status }) => status === 204,
    );
    this.#ended = this.#held;
    await this.logIn();
  }

  /** Everything that was acknowledged is there, and nothing of what was replaced. */
  async verify(): Promise<void> {
    await this.read();
    await this.logIn();
    await this.read();
    if (this.#earlierPassword)
      await this.#sure(
        'login with the password before',
        this.#credentials(this.#earlierPassword),
        isRefused(401),
      );
    if (!this.#ended) return;
    const { accessToken, refreshToken } = this.#ended;
    await this.#sure('an ended session', ['GET', '/me', { token: accessToken }], isRefused(401));
    await this.#sure('refresh of an ended session', refreshWith(refreshToken), isRefused(400));
  }

  readonly #credentials = (password: string): Request => [
    'POST',
    '/auth/login',
    { body: { identifier: this.username, password } },
  ];

  /** A clock that jumps makes an access token too old or too young. The session goes on with a refresh. */
  async #guarded(
    method: string,
    path: string,
    body?: object,
    isRight: (answer: Answer, again: boolean) => boolean = isOk,
  ): Promise<Answer> {
    const request = (): Request => [
      method,
      path,
      { token: this.#held!.accessToken, ...(body && { body }) },
    ];
    let isAgain = false;
    for (let renewals = 0; ; renewals++) {
      const answer = await this.#sure(`${method} ${path}`, request(), (answer, again) => {
        isAgain ||= again;
        return isOver(answer) ? renewals < MAX_RENEWALS : isRight(answer, isAgain);
      });
      if (!isOver(answer)) return answer;
      const refusal = await this.#renew(isAgain);
      if (refusal) return refusal;
    }
  }

  #sure(
    what: string,
    request: Request,
    isRight: (answer: Answer, again: boolean) => boolean,
  ): Promise<Answer> {
    return this.#ledger.untilSure(
      `${what} of ${this.username}`,
      () => this.#ask(...request),
      isRight,
    );
  }

  #lost(what: string): void {
    this.#ledger.lost.push(`${this.username}: ${what}`);
  }
}

type Request = [method: string, path: string, question?: Question];

/** Two jumps of the clock can follow each other. */
const MAX_RENEWALS = 4;
const isOver = ({ status, body }: Answer) =>
  status === 401 && ['token_expired', 'token_invalid'].includes(body?.code);
const isOk = ({ status }: Answer) => status === 200;
const isRefused =
  (expected: number) =>
  ({ status }: Answer) =>
    status === expected;
const refreshWith = (refreshToken: string): Request => [
  'POST',
  '/auth/refresh',
  { body: { refreshToken } },
];
