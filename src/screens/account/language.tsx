import { useId } from 'preact/hooks';
import type { OwnUser } from '#src/client/index';
import { t } from '#screens/ui/text';

type Locale = OwnUser['locale'];

/** Each language in its own words. */
const NAMES: Readonly<Record<NonNullable<Locale>, string>> = {
  en: 'English',
  de: 'Deutsch',
  fr: 'Français',
  es: 'Español',
  pt: 'Português',
  ja: '日本語',
  ar: 'العربية',
};

/** What the field says: null for the language of the browser. */
export const localeOf = (text: string): Locale => (text in NAMES ? (text as Locale) : null);

export function Language({ chosen }: { chosen: Locale }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t('account.language')}</label>
      <select id={id} name="locale">
        <option value="" selected={chosen === null}>
          {t('account.languageOfBrowser')}
        </option>
        {Object.entries(NAMES).map(([locale, name]) => (
          <option value={locale} lang={locale} selected={chosen === locale} key={locale}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
