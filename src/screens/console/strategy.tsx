import { t } from '#screens/ui/text';

/** What a way to sign in is called. Others are named as the server names them. */
export const strategyName = (name: string): string =>
  name === 'local' ? t('console.users.password') : name;
