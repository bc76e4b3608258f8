/** Everybody who signs up in the bench. */
export const password = 'correct horse battery staple';

export interface Person {
  username: string;
  email: string;
  name: string;
}
export const person = (number: number): Person => ({
  username: `person${number}`,
  email: `person${number}@example.com`,
  name: 'Ada Lovelace',
});

/** What every candidate answers to `GET /me`: as many bytes, in this order. */
export const profileOf = (id: string, { username, email, name }: Person, roles: string[]) => ({
  id,
  username,
  email,
  emailVerified: false,
  name,
  roles,
  locale: null,
  permissions: [], // as of a role without any
  actor: null, // nobody acts for them
});

/** What those answer who have no users. */
export const somebody = profileOf('01890a5d-ac96-774b-bcce-b302099a8057', person(99), ['user']);
