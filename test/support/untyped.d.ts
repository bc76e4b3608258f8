// Packages that say nothing of their types.
declare module 'passport-gitlab2';
declare module 'passport-http-bearer';
declare module 'passport-microsoft';
declare module 'passport-oauth1';
declare module 'passport-openidconnect';
declare module 'passport-totp';
declare module 'passport-trusted-header';
