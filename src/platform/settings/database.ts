import { z } from 'zod';
import { isDatabase, whole } from '#src/platform/settings/types';

const databaseUrl = z
  .string()
  .refine(isDatabase, 'must be sqlite:<file> or mysql://user:password@host:port/database')
  .refine(
    (url) => !url.includes(':memory:'),
    'must name a file: a database in memory would lose every user',
  )
  .default('sqlite:data/sallyport.sqlite')
  .describe(
    'sqlite:<file>, or mysql://user:password@host:port/database for MySQL 8+ and MariaDB 10.11+. Of several hosts (one,two:3307,three) each connection takes the first that works. Add ?tls=system or ?tls=/path/ca.pem to encrypt the connection.',
  );

const databaseWait = whole(0, 600)
  .default(30)
  .describe(
    'How long to wait for a database server that does not answer at the start, in seconds.',
  );

/** Which database, and how long it is waited for. */
export const databaseSettings = { DATABASE_URL: databaseUrl, DATABASE_WAIT: databaseWait };
