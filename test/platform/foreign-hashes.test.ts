import bcrypt from 'bcrypt';
import { describe, expect, it, vi } from 'vitest';
import {
  createPasswordHasher,
  plainHash,
  type PasswordHasher,
} from '#src/platform/crypto/passwords';
import { password as horse, startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';

const COST = 6;
const PEPPER = 'a'.repeat(128);
const { ctx, register, logIn, User } = await startApp({
  BCRYPT_COST: String(COST),
  DEVISE_PEPPER: PEPPER,
});
const { passwords } = ctx;
/** Has seen no hash yet. One that has seen a dear hash works as long for every wrong password. */
const newHasher = () => createPasswordHasher(ctx.settings, ctx.request);

const russian = 'пароль длинный';
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const text64 = (text: string) => Buffer.from(text).toString('base64');

/** From the specifications. */
const published: [what: string, plain: string, hash: string][] = [
  ['phpass, its own test', 'test12345', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'],
  ['phpBB, the same', 'test12345', '$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'],
  [
    'Drupal 7, an example of hashcat',
    'hashcat',
    '$S$C33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf',
  ],
  [
    'ASP.NET Identity v2, its own test',
    'my password',
    'AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==',
  ],
  [
    'ASP.NET Identity v3 with SHA-1, its own test',
    'my password',
    'AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M',
  ],
  [
    'ASP.NET Identity v3 with SHA-256, its own test',
    'my password',
    'AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==',
  ],
  [
    'ASP.NET Identity v3 with SHA-512, its own test',
    'my password',
    'AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==',
  ],
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

/**
 * Made with passlib 1.7.4, libxcrypt 4.4 (Python's `crypt`), Debian's `argon2`, OpenSSL 3.0, Python's hashlib,
 * Django 3.2, Werkzeug 2.2, better-auth 1.7, PHP 8.2 and Ruby's bcrypt.
 */
const made: typeof published = [
  [
    "Django's BCryptSHA256PasswordHasher",
    horse,
    'bcrypt_sha256$$2b$04$9dkMxg.uY4pEWku4j4JY/u.3AooEUuClxX6CnyTzrKylyC4CQmjOi',
  ],
  [
    "Django's BCryptSHA256PasswordHasher, a long password",
    'x'.repeat(100),
    'bcrypt_sha256$$2b$04$0sfR2k0xAiR.nT4HocJBA.1ytwmtA5HGGgw4PdTKlrL3mq.4RgH/S',
  ],
  [
    "hashlib, in the form of Django's ScryptPasswordHasher",
    russian,
    'scrypt$1024$gSWt46OuJwZd$8$5$H+tfHwRXPFgc5x2l6P8Fb/T34RUCmx1Sdbfd2NteZdX2hE6fM6PN9su9KTAcTCBdXBA9rpFLcLKFpnIsgt65Dg==',
  ],
  [
    'Werkzeug, PBKDF2 with SHA-256',
    horse,
    'pbkdf2:sha256:1000$S73gxUKW4a2jUwZ8$1ace544d521603b87427530a258572000dce1ee9cccf4f66caf8b0b9967264aa',
  ],
  [
    'Werkzeug, PBKDF2 with SHA-1',
    horse,
    'pbkdf2:sha1:1000$hawg0qOfLmQV6GO3$956ca10ae315da27ebd1c0ddaba878db715be3f8',
  ],
  [
    'Werkzeug, PBKDF2 with SHA-512',
    horse,
    'pbkdf2:sha512:1000$N7sBgzjIeaziHQKp$3f21c04f9253072df8861e52ff0acb983c5f8cf16dbc3123c7b95985c0b679a6e692d04ff0addbd5cc068012e278b630a1f51105d88695dd110708af62c1b0ca',
  ],
  [
    "hashlib, in the form of Werkzeug's scrypt",
    horse,
    'scrypt:1024:8:1$Ux3yKQZs0vVb1c9d$e66141940c5607b76434d94ab529d6280f8b48f139ad872d13d32e19b3355d56c7f9c1b8543b7abb1978c53c9744b6d858d95ca95e104e5925cc799b59fb2877',
  ],
  [
    'better-auth',
    horse,
    '1d74ad1aaca631b00881867c1ca117b6:f5b4db0408506895c6b230a5b370f22f6effb3f77d652462609475e5ca2f48177ddf8940f72636b8e8721156102c5d004d27bdbbaa27e2f76dd8a100abf50217',
  ],
  [
    'better-auth, a password with a ligature',
    'пароль ﬁ длинный',
    'b8cb56af12bf7460591bbfcdef398683:c72955212586fd1991bca9e13377053873ec6e3efa3172fd18a25f9055f66e4c3088ec5dc2d1801ed13099b9c7655273f220f51e81926bbb6534612d22ec4aa8',
  ],
  ['passlib phpass', horse, '$P$6Xwscfnef734S0xKajLwVU.JhFZgvp0'],
  ['passlib phpass of phpBB', russian, '$H$6DZOHjIrxubkoKoUPp2J/7W3kKyH0n.'],
  [
    "WordPress 6.8, with PHP's functions",
    horse,
    '$wp$2y$04$ynG24B37405H7d9tfChNPeLqmtkCPihbo3MgFek6JH9./gAfnwYte',
  ],
  [
    "PHP's default Argon2id",
    horse,
    '$argon2id$v=19$m=65536,t=4,p=1$U1FmMHR6OG82emtCRkhkNQ$yLImJsm+Wz60Q4eTsqKw7NgXWGmH30+K3SqyVeU+1/4',
  ],
  [
    "PHP's default Argon2i",
    horse,
    '$argon2i$v=19$m=65536,t=4,p=1$OXU0TVZJdEYvbmN5eW4wcg$7srk0eX5B+K+p97hZcKDjqC6kF0zbVPyTwBhkrZcVjE',
  ],
  [
    "Devise with a pepper, by Ruby's bcrypt",
    horse,
    'devise$$2a$04$lAlio.gYuAMGt5boDbaqMeQH6IawPoncj5.o7Dj2q6/a95EH4LjVK',
  ],
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
  const passwords = newHasher();
  expect(await passwords.whyRefused(hash)).toBeUndefined();
  expect(passwords.isStale(hash, plain)).toBe(true);
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
    expect(await newHasher().matches(plain, changed)).toBe(false);
  },
);

const DIGEST = 'A'.repeat(43);
const SIGNER = 'A'.repeat(86);
describe('whyRefused', () => {
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
    expect(await passwords.whyRefused(hash)).toBe(
      'its hash takes more than twice as long to compare with as bcrypt with cost 12',
    );
    expect(await passwords.matches('x', hash)).toBe(false);
  });

  it.each([
    ['scrypt', `$scrypt$ln=18,r=8,p=1$AAAA$${DIGEST}`],
    ['scrypt of 99', `$scrypt$ln=99,r=8,p=1$AAAA$${DIGEST}`],
    ['scrypt $7$', `$7$zzzzzzzzzzzsalt$${DIGEST}`],
    ['argon2', `$argon2id$v=19$m=2097152,t=1,p=4$AAAAAAAAAAA$${DIGEST}`],
    ['Firebase', `$fbscrypt$v=1,n=20,r=8,p=1,ss=Bw==,sk=${SIGNER}$AAAA$${SIGNER}`],
  ])('refuses %s that takes too much memory', async (_what, hash) => {
    expect(await passwords.whyRefused(hash)).toBe(
      'its hash takes more than 128 MiB to compare with',
    );
    expect(await passwords.matches('x', hash)).toBe(false);
  });

  it.each([
    ['', 'nothing at all'],
    ['hunter2', 'a password that was never hashed'],
    ['correct horse battery', 'a password that was never hashed'],
    ['d41d8cd98f00b204e9800998ecf8427e', 'MD5 without a salt, or NTLM'],
    ['da39a3ee5e6b4b0d3255bfef95601890afd80709', 'SHA-1 without a salt'],
    ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'SHA-2 without a salt'],
    ['5f4dcc3b5aa765d61d8327deb882cf99:abcd', 'a digest with its salt'],
    ['*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19', 'a password of MySQL itself'],
    ['{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'an LDAP scheme'],
    ['{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'an LDAP scheme'],
    ['{noop}hunter2', 'Spring Security'],
    ['md5$salt$d41d8cd98f00b204e9800998ecf8427e', 'an old hash of Django'],
    ['sha256$salt$abcdef', 'an old hash of Werkzeug'],
    ['$1$salt$qJH7.N4xYta3aEG/dfqo/0', 'MD5-crypt'],
    ['$apr1$salt$qJH7.N4xYta3aEG/dfqo/0', 'MD5-crypt'],
    ['$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7', 'yescrypt'],
    ['$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e', 'bcrypt of a broken'],
    ['$2a$10$short', 'bcrypt, but is damaged'],
    ['$wp$2y$10$short', 'bcrypt, but is damaged'],
    [`pbkdf2_md5$1000$salt$${DIGEST}`, 'PBKDF2, but'],
    [`pbkdf2_sha256$0$salt$${DIGEST}`, 'PBKDF2, but'],
    ['pbkdf2_sha256$1000$salt$AAAA', 'PBKDF2, but'],
    ['pbkdf2_sha256$1000$salt$', 'PBKDF2, but'],
    [`pbkdf2_sha256$1000$salt$${DIGEST}\n`, 'PBKDF2, but'],
    ['pbkdf2:sha256:1000$salt$abc', 'PBKDF2, but'],
    [`$scrypt$ln=0,r=8,p=1$AAAA$${DIGEST}`, 'scrypt, but'],
    ['$scrypt$ln=10,r=8,p=1$AAAA$AAAA', 'scrypt, but'],
    [`scrypt$1000$salt$8$1$${DIGEST}`, 'scrypt, but'],
    [`$argon2id$m=256,t=2,p=2$AAAAAAAAAAA$${DIGEST}`, 'Argon2 of version 1.0'],
    [`$argon2id$v=16$m=256,t=2,p=2$AAAAAAAAAAA$${DIGEST}`, 'Argon2 of version 1.0'],
    [`$argon2id$v=19$m=8,t=2,p=2$AAAAAAAAAAA$${DIGEST}`, 'Argon2, but'],
    ['$argon2id$v=19$m=256,t=2,p=2$AAAAAAAAAAA$AAAA', 'Argon2, but'],
    [`$argon2id$v=19$m=256,t=2,p=2$AAAA$${DIGEST}`, 'Argon2, but'],
    [`$5$rounds=999$salt$${DIGEST}`, 'SHA-crypt, but'],
    [`$5$salt$${SIGNER}`, 'SHA-crypt, but'],
    ['$P$BHbbeu', 'phpass or Drupal, but'],
    ['$P$zIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0', 'phpass or Drupal, but'],
    [`$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA$AAAA$${SIGNER}`, 'scrypt, but'],
    ['AQAAAAEAACcQAAAAEAABAgMEBQ==', 'ASP.NET Identity, but'],
    [
      'AQAAAAkAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==',
      'ASP.NET Identity, but',
    ],
  ])(
    'refuses what it does not know or what is damaged, and says what it looks like: %j',
    async (hash, kind) => {
      const refusal = await passwords.whyRefused(hash);
      expect(refusal).toMatch(/^its hash is of no kind that is accepted here: it looks like /);
      expect(refusal).toContain(kind);
      if (hash.length > 12) expect(refusal).not.toContain(hash);
      for (const tried of ['', 'hunter2', 'password'])
        expect(await passwords.matches(tried, hash)).toBe(false);
    },
  );

  it.each(['{CRYPT}', '{bcrypt}', '{BLF-CRYPT}', 'bcrypt$'])(
    'reads past %s, which others write before a hash',
    async (prefix) => {
      const hash = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
      expect(await passwords.whyRefused(prefix + hash)).toBeUndefined();
      expect(plainHash(prefix + hash)).toBe(hash);
    },
  );

  it('refuses a hash of Devise while there is no pepper', async () => {
    const { passwords: without } = (await startApp({ BCRYPT_COST: String(COST) })).ctx;
    const hash = 'devise$$2a$04$lAlio.gYuAMGt5boDbaqMeQH6IawPoncj5.o7Dj2q6/a95EH4LjVK';
    expect(await without.whyRefused(hash)).toBe('its hash needs the setting DEVISE_PEPPER');
    expect(await without.matches(horse, hash)).toBe(false);
  });

  it('refuses what does not fit into its column, and bcrypt that keeps a thread for seconds', async () => {
    expect(await passwords.whyRefused(`pbkdf2_sha256$1000$salt$${'A'.repeat(240)}`)).toBe(
      'its hash is longer than 255 characters',
    );
    const bcryptOf = (cost: string) => `$2b$${cost}$${'C'.repeat(53)}`;
    for (const cost of ['04', '12', '15'])
      expect(await passwords.whyRefused(bcryptOf(cost))).toBeUndefined();
    for (const cost of ['03', '16', '31'])
      expect(await passwords.whyRefused(bcryptOf(cost))).toBe(
        'its bcrypt hash does not have a cost of 4 to 15',
      );
  });
});

it.each(made)(
  'lets in by %s once, and keeps a hash of its own from then on',
  async (_what, plain, hash) => {
    if (plain === '') return;
    const user = await register();
    await User.update({ passwordHash: hash }, { where: { id: user.id } });
    expect(await patientlyLogIn(user.username, `${plain}x`)).toBe(401);
    expect((await User.findByPk(user.id))!.passwordHash).toBe(hash);
    expect(await patientlyLogIn(user.username, plain)).toBe(200);
    const renewed = (await User.findByPk(user.id))!.passwordHash!;
    expect(renewed).toMatch(plain.length > 72 ? /^\$bcrypt-sha256\$/ : /^\$2b\$06\$/);
    expect(await patientlyLogIn(user.username, plain)).toBe(200);
  },
);

/** A machine with other work may need too long for an expensive hash. It says 503 then, and changes nothing: one asks again. */
async function patientlyLogIn(name: string, secret: string): Promise<number> {
  return eventually(async () => {
    const { status } = await logIn(name, secret);
    expect(status).not.toBe(503);
    return status;
  });
}

/** Rounds of bcrypt that a wrong password costs. */
async function spentOn(hash: string | null, hasher: PasswordHasher): Promise<number> {
  const compare = vi.spyOn(bcrypt, 'compare');
  expect(await hasher.matches('not the password', hash)).toBe(false);
  const spent = compare.mock.calls.map((call) => 2 ** Number(call[1].slice(4, 6)));
  compare.mockRestore();
  return spent.reduce((sum, rounds) => sum + rounds, 0);
}

it('works for a wrong password as long for each kind of hash as without one, from the first dear one on (L-02)', async () => {
  // Firebase's scrypt is the most expensive of these: about 2^14 · 8 / 170 = 771 rounds. Today's cost is 2^6.
  const dear = published.at(-1)![2];
  const { passwords: fresh } = (await startApp({ BCRYPT_COST: String(COST) })).ctx;
  expect(await spentOn(dear, fresh)).toBe(0);
  for (const hash of [
    null,
    await passwords.hash('something'),
    '$2b$04$0l/LBuQqPLGemO1XR5iPZuJU6dIl0uUieuWhDRQ9iN85PaLNdrImS',
    dear,
    `pbkdf2_sha256$100000$salt$${DIGEST}`,
    `$scrypt$ln=12,r=8,p=1$AAAA$${DIGEST}`,
    `$argon2id$v=19$m=4096,t=4,p=1$AAAAAAAAAAA$${DIGEST}`,
    '{SSHA}RcDt5M2oWG83JlyHFOwTTkIj+61Wag2h',
    `$6$rounds=9999$salt$${SIGNER}`,
    `pbkdf2_sha256$4000000$salt$${DIGEST}`,
  ]) {
    const own = hash === null ? 2 ** COST : fresh.roundsOf(hash);
    const isBcrypt = hash === null || hash.startsWith('$2b$') || hash.includes('4000000');
    const spent = (await spentOn(hash, fresh)) + (isBcrypt ? 0 : own);
    const worth = fresh.roundsOf(dear);
    expect(spent, String(hash)).toBeGreaterThan(worth - 17); // the lowest cost is 2^4
    // A measurement may have become better meanwhile.
    expect(spent, String(hash)).toBeLessThanOrEqual(2 * 771 + 1);
  }
});

it('measures what a kind of hash costs here, and corrects the estimate by a factor of two at most', async () => {
  const hash = `$argon2id$v=19$m=16384,t=4,p=1$AAAAAAAAAAA$${DIGEST}`;
  const estimate = (16_384 * 4) / 64;
  const { passwords: fresh } = (await startApp({ BCRYPT_COST: String(COST) })).ctx;
  expect(fresh.roundsOf(hash)).toBe(estimate);
  expect(await fresh.whyRefused(hash)).toBeUndefined();
  const measured = fresh.roundsOf(hash);
  expect(measured).not.toBe(estimate);
  expect(measured).toBeGreaterThanOrEqual(estimate / 2);
  expect(measured).toBeLessThanOrEqual(estimate * 2);
});

it('refuses what turns out to be too slow on this machine, though the estimate allows it', async () => {
  const { passwords: fresh } = (await startApp({ BCRYPT_COST: String(COST) })).ctx;
  const hash = `pbkdf2_sha256$3000000$salt$${DIGEST}`; // 7 692 rounds: just allowed
  // By this clock everything after the calibration takes seconds.
  let [skew, isCalibrated] = [0, false];
  const real = performance.now.bind(performance);
  const honest = bcrypt.compare.bind(bcrypt) as (plain: string, hash: string) => Promise<boolean>;
  const compare = vi.spyOn(bcrypt, 'compare').mockImplementation((async (
    plain: string,
    stored: string,
  ) => {
    const answer = await honest(plain, stored);
    setImmediate(() => (isCalibrated = true));
    return answer;
  }) as never);
  const now = vi
    .spyOn(performance, 'now')
    .mockImplementation(() => real() + (isCalibrated ? (skew += 60_000) : 0));
  expect(await fresh.whyRefused(hash)).toMatch(/more than twice as long/);
  for (const spy of [now, compare]) spy.mockRestore();
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
