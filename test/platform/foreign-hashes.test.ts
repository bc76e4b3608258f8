import bcrypt from 'bcrypt';
import { describe, expect, it, vi } from 'vitest';
import { whyNotHash } from '#src/platform/crypto/passwords';
import { password as horse, startApp } from '#test/support/app';

const COST = 6;
const { ctx, register, logIn, User } = await startApp({ BCRYPT_COST: String(COST) });
const { passwords } = ctx;

const russian = 'пароль длинный';
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const text64 = (text: string) => Buffer.from(text).toString('base64');

/** From the specifications. */
const published: [what: string, plain: string, hash: string][] = [
  [
    'PBKDF2, RFC 6070',
    'password',
    `$pbkdf2$4096$${text64('salt')}$${base64('4b007901b765489abead49d926f721d065a429c1')}`,
  ],
  [
    'scrypt, RFC 7914 §12',
    'password',
    `$scrypt$ln=10,r=8,p=16$${text64('NaCl')}$${base64('fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640')}`,
  ],
  [
    'SHA-256-crypt, its specification',
    'Hello world!',
    '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
  ],
  [
    'SHA-256-crypt, its specification, with rounds',
    'Hello world!',
    '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA',
  ],
  [
    'SHA-512-crypt, its specification',
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'Firebase, README of github.com/firebase/scrypt',
    'user1password',
    '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  ],
];

/** Made with passlib 1.7.4, libxcrypt 4.4 (Python's `crypt`), Debian's `argon2`, OpenSSL 3.0 and Python's hashlib. */
const made: typeof published = [
  ['passlib pbkdf2_sha1', horse, '$pbkdf2$1000$S2lNKeUcw7h3bi3FOMfYmw$AtBbDMm4yiiXjv2NivsFJsjobMw'],
  [
    'passlib pbkdf2_sha256',
    russian,
    '$pbkdf2-sha256$1000$9N577x1DiDFmTClljPHeWw$zivdFNlvFVjnIWM7IB6LaXGavMBb3dsdaP9RcT7nkTU',
  ],
  [
    'passlib pbkdf2_sha512',
    horse,
    '$pbkdf2-sha512$1000$OqdUitE6Z0xpjZGS8r7Xeg$0ZKt1avPvsXSAuJK380yZkncLON2/pDcH5eZeisc6FGtPyB/PBVwrGEhA9zAFHe0YdqIjzdfBHYWnkWdnCHQ9Q',
  ],
  [
    'passlib django_pbkdf2_sha256',
    horse,
    'pbkdf2_sha256$1000$CoI1UAKkkSYW$1O0ttr08XECEn5eB2baVmC3B37MphSbQ+IO4wH9UJsw=',
  ],
  [
    'passlib django_pbkdf2_sha256',
    '',
    'pbkdf2_sha256$1000$0IdohdGKKreE$8EL0oNiI21UqfupZx7SUDG6QknUkbG6nXp75o/w1yyA=',
  ],
  [
    'passlib django_pbkdf2_sha1',
    russian,
    'pbkdf2_sha1$1000$1bLVSF0gLLZp$4ypWCCvJ7TV1ab/OHbwB7dfMNTQ=',
  ],
  [
    'hashlib, 64 bytes of SHA-256 as Keycloak keeps them',
    horse,
    '$pbkdf2-sha256$i=1000,l=64$AAECAwQFBgcICQoLDA0ODw==$AhaeZ02AwPxykuhhDI8XvhQN8GKvmqM+qF6qvs/98I3oPrOafEIqFGOq0+8aVYIT/+xVcPChXj+A8gpxtbBrFQ==',
  ],
  [
    'hashlib, 64 bytes of SHA-512 as Keycloak keeps them',
    horse,
    '$pbkdf2-sha512$i=1000$AAECAwQFBgcICQoLDA0ODw==$ToxFUi5y3fprZRW/V6CupR2uIDYfuy5rlsF9Z4E648lE68lw5lzmucru/HdPvmBJDSLroVh1Q2xCvjqd8NI/6Q==',
  ],
  [
    'hashlib, 64 bytes of SHA-1 as Keycloak keeps them',
    horse,
    '$pbkdf2$i=1000$AAECAwQFBgcICQoLDA0ODw==$yr+bZKkEnTtGf3f18VjXM5CIxT9gt2kfzsoPOBHUS/RLDCZ42k0onOKxREnD3cAEEtG4G7TZX43IWO1b/MW15g==',
  ],
  [
    'passlib scrypt',
    russian,
    '$scrypt$ln=10,r=8,p=2$M2bMGcP4H0NorfW+F6JU6g$OLcSNpiezeiir376bF5abRZhvmvyTqa6KRbwUQiww0o',
  ],
  [
    'passlib scrypt',
    '',
    '$scrypt$ln=10,r=8,p=2$cG6tVWoNIQSAsBbi3Nvb2w$9Okgt0i392sdfrMfo7XhmckbJJkOTEu4lrP5vtvXoiM',
  ],
  [
    'passlib scrypt $7$',
    horse,
    '$7$86..../....J2RMaS0lRMj5n7N2DmFMSQ$L1YLbnyT64yotKA4WSEl6BJwC.Mr3EdpZm8KF5a8/qA',
  ],
  ['libxcrypt $7$', russian, '$7$96..../....Sodium$5pe4OfUTySMC2NkhTmVQp9xEgpi3.QERqxiyHYpglw9'],
  [
    'argon2 -i',
    horse,
    '$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$VFKYuYN59C38xQ+mJ9Ek442kNkEDLGWeaf3HUH/4kKk',
  ],
  [
    'argon2 -d',
    russian,
    '$argon2d$v=19$m=256,t=2,p=2$c29tZXNhbHQ$kWxQytK1WpMzkoyYoj6QcWsZ289HjZQ/yiDqj/9cnd4',
  ],
  [
    'argon2 -id',
    horse,
    '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$1dayP7IvkGrmCTUcFBmln7HZGDnbQ4kB2SCFBGFcCJo',
  ],
  ['openssl passwd -5', horse, '$5$NaCl$HiBcueD9DPmHn6DRrjfCNz9A7AJdM5BRV85NnBWnk93'],
  [
    'openssl passwd -6',
    horse,
    '$6$NaCl$Vtmew0RKWj8eOmRv9tVHzxSw.rIMqqCPF48oOBud1FGivIPIwjJKsmIdak47pWj2wH3adQyug/nGLdRBSuXzz1',
  ],
  [
    'passlib sha256_crypt',
    '',
    '$5$rounds=1000$1OaO0liVs9vBx9bG$M1WI2T1V8pZJqb05IO2KogEU0e0t22r4qz0dUmZ.JX.',
  ],
  [
    'passlib sha512_crypt',
    russian,
    '$6$rounds=1234$FkrCODr34XdjFER6$FUVZkKxvBc3YXJb1VB3jYP.d6HPTvGgZqHdOWvkheeaU0/ka0vM5aC6KOpKI5wE8SUeAGOzZy/funOXy9pALK.',
  ],
  [
    'libxcrypt, a long password',
    'x'.repeat(200),
    '$6$longer$ji/RHG/CHOIherqqBT1c/0oqc2F994XsdkODUVZd0xzAiByDvbWPIhHkAXtPAr/BcmNSlkzDlhY/loXsLQB7..',
  ],
  ['passlib ldap_salted_sha1', horse, '{SSHA}RcDt5M2oWG83JlyHFOwTTkIj+61Wag2h'],
  [
    'passlib ldap_salted_sha256',
    russian,
    '{SSHA256}tSS/vRD+MeGCeg4tuDooHEkaXONxO2XWxJNOgJK7IAVWKoVQqtXauw==',
  ],
  [
    'passlib ldap_salted_sha512',
    '',
    '{SSHA512}XJq0v855GjFVRDpNNs8cRMlNi+ywRYVJNlQCLJGq8a5YJj91xCITl5PuY+zxhvIMEbHdFLsw6NU1NVEcnfJpoVvLGYOw9h7D',
  ],
];
const all = [...published, ...made];

it.each(all)('knows %s: %j, and nothing else by it', async (_what, plain, hash) => {
  expect(whyNotHash(hash)).toBeUndefined();
  expect(passwords.isStale(hash)).toBe(true);
  expect(await passwords.matches(plain, hash)).toBe(true);
  for (const other of [
    `${plain}x`,
    plain.slice(0, -1) || 'x',
    plain.toUpperCase() || ' ',
    `${plain}\u0000`,
  ])
    if (other !== plain) expect(await passwords.matches(other, hash), other).toBe(false);
});

it.each(all)(
  'does not know %s: %j when a character of it is another one',
  async (_what, plain, hash) => {
    const place = Math.max(hash.lastIndexOf('$'), hash.lastIndexOf('}')) + 5;
    const changed =
      hash.slice(0, place) + (hash[place] === 'A' ? 'B' : 'A') + hash.slice(place + 1);
    expect(await passwords.matches(plain, changed)).toBe(false);
  },
);

const DIGEST = 'A'.repeat(43);
const SIGNER = 'A'.repeat(86);
describe('whyNotHash', () => {
  it.each([
    ['pbkdf2', `pbkdf2_sha256$4000000$salt$${DIGEST}`],
    ['pbkdf2 without end', `$pbkdf2-sha512$i=999999999$AAAA$${DIGEST}`],
    ['scrypt', `$scrypt$ln=14,r=8,p=12$AAAA$${DIGEST}`],
    ['argon2', `$argon2id$v=19$m=65536,t=9,p=4$AAAAAAAAAAA$${DIGEST}`],
    ['argon2 without end', `$argon2id$v=19$m=65536,t=999999,p=4$AAAAAAAAAAA$${DIGEST}`],
    ['sha-crypt', `$6$rounds=999999999$salt$${SIGNER}`],
    ['sha-crypt, passlib’s own', `$6$rounds=656000$salt$${SIGNER}`],
    ['Firebase', `$fbscrypt$v=1,n=14,r=8,p=99,ss=Bw==,sk=${SIGNER}$AAAA$${SIGNER}`],
  ])('refuses %s that takes too long', async (_what, hash) => {
    expect(whyNotHash(hash)).toBe('its hash takes more than 0.4 seconds to compare with');
    expect(await passwords.matches('x', hash)).toBe(false);
  });

  it.each([
    ['scrypt', `$scrypt$ln=18,r=8,p=1$AAAA$${DIGEST}`],
    ['scrypt of 99', `$scrypt$ln=99,r=8,p=1$AAAA$${DIGEST}`],
    ['scrypt $7$', `$7$zzzzzzzzzzzsalt$${DIGEST}`],
    ['argon2', `$argon2id$v=19$m=2097152,t=1,p=4$AAAAAAAAAAA$${DIGEST}`],
    ['Firebase', `$fbscrypt$v=1,n=20,r=8,p=1,ss=Bw==,sk=${SIGNER}$AAAA$${SIGNER}`],
  ])('refuses %s that takes too much memory', async (_what, hash) => {
    expect(whyNotHash(hash)).toBe('its hash takes more than 128 MiB to compare with');
    expect(await passwords.matches('x', hash)).toBe(false);
  });

  it.each([
    '',
    'hunter2',
    'd41d8cd98f00b204e9800998ecf8427e',
    '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=',
    '{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=',
    '$1$salt$qJH7.N4xYta3aEG/dfqo/0',
    '$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e',
    `pbkdf2_md5$1000$salt$${DIGEST}`,
    `pbkdf2_sha256$0$salt$${DIGEST}`,
    'pbkdf2_sha256$1000$salt$AAAA',
    'pbkdf2_sha256$1000$salt$',
    `pbkdf2_sha256$1000$salt$${DIGEST}\n`,
    `$scrypt$ln=0,r=8,p=1$AAAA$${DIGEST}`,
    '$scrypt$ln=10,r=8,p=1$AAAA$AAAA',
    `$argon2id$m=256,t=2,p=2$AAAAAAAAAAA$${DIGEST}`,
    `$argon2id$v=16$m=256,t=2,p=2$AAAAAAAAAAA$${DIGEST}`,
    `$argon2id$v=19$m=8,t=2,p=2$AAAAAAAAAAA$${DIGEST}`,
    '$argon2id$v=19$m=256,t=2,p=2$AAAAAAAAAAA$AAAA',
    `$argon2id$v=19$m=256,t=2,p=2$AAAA$${DIGEST}`,
    `$5$rounds=999$salt$${DIGEST}`,
    `$5$salt$${SIGNER}`,
    `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA$AAAA$${SIGNER}`,
  ])('refuses what it does not know or what is damaged: %j', async (hash) => {
    expect(whyNotHash(hash)).toBe('its hash is of no kind that is known here, or is damaged');
    for (const tried of ['', 'hunter2']) expect(await passwords.matches(tried, hash)).toBe(false);
  });

  it('refuses what does not fit into its column, and bcrypt that keeps a thread for seconds', () => {
    expect(whyNotHash(`pbkdf2_sha256$1000$salt$${'A'.repeat(240)}`)).toBe(
      'its hash is longer than 255 characters',
    );
    const bcryptOf = (cost: string) => `$2b$${cost}$${'C'.repeat(53)}`;
    for (const cost of ['04', '12', '15']) expect(whyNotHash(bcryptOf(cost))).toBeUndefined();
    for (const cost of ['03', '16', '31'])
      expect(whyNotHash(bcryptOf(cost))).toBe('its bcrypt hash does not have a cost of 4 to 15');
  });
});

it.each(made)(
  'lets in by %s once, and keeps a hash of its own from then on',
  async (_what, plain, hash) => {
    if (plain === '') return;
    const user = await register();
    await User.update({ passwordHash: hash }, { where: { id: user.id } });
    expect((await logIn(user.username, `${plain}x`)).status).toBe(401);
    expect((await User.findByPk(user.id))!.passwordHash).toBe(hash);
    expect((await logIn(user.username, plain)).status).toBe(200);
    const renewed = (await User.findByPk(user.id))!.passwordHash!;
    expect(renewed).toMatch(plain.length > 72 ? /^\$bcrypt-sha256\$/ : /^\$2b\$06\$/);
    expect((await logIn(user.username, plain)).status).toBe(200);
  },
);

/** Rounds of bcrypt that a wrong password costs. */
async function spentOn(hash: string | null): Promise<number> {
  const compare = vi.spyOn(bcrypt, 'compare');
  expect(await passwords.matches('not the password', hash)).toBe(false);
  const spent = compare.mock.calls.map((call) => 2 ** Number(call[1].slice(4, 6)));
  compare.mockRestore();
  return spent.reduce((sum, rounds) => sum + rounds, 0);
}

it('works for a wrong password as long for each kind of hash as without one, from the first dear one on (L-02)', async () => {
  // Firebase's scrypt is the most expensive so far: 2^14 · 8 / 170 = 771 rounds. Today's cost is 2^6.
  const dear = published.at(-1)![2];
  expect(await spentOn(dear)).toBe(0);
  const worth = 771;
  for (const [hash, own] of [
    [null, 0],
    [await passwords.hash('something'), 0],
    ['$2b$04$0l/LBuQqPLGemO1XR5iPZuJU6dIl0uUieuWhDRQ9iN85PaLNdrImS', 0],
    [dear, 771],
    [`pbkdf2_sha256$100000$salt$${DIGEST}`, 256],
    [`$scrypt$ln=12,r=8,p=1$AAAA$${DIGEST}`, 193],
    [`$argon2id$v=19$m=4096,t=4,p=1$AAAAAAAAAAA$${DIGEST}`, 256],
    ['{SSHA}RcDt5M2oWG83JlyHFOwTTkIj+61Wag2h', 0],
    [`$6$rounds=9999$salt$${SIGNER}`, 227],
    [`pbkdf2_sha256$4000000$salt$${DIGEST}`, 0],
  ] as const) {
    const spent = own + (await spentOn(hash));
    expect(spent, String(hash)).toBeGreaterThan(worth - 17); // the lowest cost is 2^4
    expect(spent, String(hash)).toBeLessThanOrEqual(worth + 1);
  }
});

it('stays awake while it works through the rounds of sha-crypt', async () => {
  let turns = 0;
  const beat = setInterval(() => turns++, 0);
  await passwords.matches('x', `$6$rounds=50000$salt$${SIGNER}`);
  clearInterval(beat);
  expect(turns).toBeGreaterThan(10);
});

it('does no more work for a longer password than for one of 256 bytes, and never takes it for that', async () => {
  // python3 -c "import crypt; print(crypt.crypt('z' * 256, '$5$rounds=1000$long'))"
  const hash = '$5$rounds=1000$long$R2r9bLUcRYY5ANzTlPAwVf7bLxOmtivtr1dO7HBoNR3';
  expect(await passwords.matches('z'.repeat(256), hash)).toBe(true);
  expect(await passwords.matches('z'.repeat(257), hash)).toBe(false);
});
