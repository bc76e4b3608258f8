import { auth0 } from '#src/import-export/sources/auth0';
import { betterAuth } from '#src/import-export/sources/better-auth';
import { cognito } from '#src/import-export/sources/cognito';
import { firebase } from '#src/import-export/sources/firebase';
import { keycloak } from '#src/import-export/sources/keycloak';
import type { UserSource } from '#src/import-export/sources/source';
import { supabase } from '#src/import-export/sources/supabase';

/** The systems whose files are understood, by the name after `--from`. */
export const userSources: Readonly<Record<string, UserSource>> = {
  auth0,
  'better-auth': betterAuth,
  cognito,
  firebase,
  keycloak,
  supabase,
};
