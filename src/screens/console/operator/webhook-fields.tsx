import type { Webhook } from '#src/client/index';
import { errorOf } from '#screens/console/operator/parts';
import { Field } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

/** Types, as somebody types them: with spaces, commas or both. */
export const typesIn = (fields: Record<string, string>): string[] =>
  (fields['types'] ?? '').split(/[\s,]+/).filter(Boolean);

/** What is told to whom. */
export const WebhookFields = ({
  webhook,
  errors,
}: {
  webhook?: Webhook;
  errors: Record<string, string>;
}) => (
  <>
    <Field
      label={t('console.webhooks.url')}
      name="url"
      type="url"
      placeholder="https://hooks.example.com/sallyport"
      defaultValue={webhook?.url ?? ''}
      error={errorOf(errors, 'url')}
      required
    />
    <Field
      label={t('console.webhooks.types')}
      hint={t('console.webhooks.typesHint')}
      name="types"
      defaultValue={webhook?.types.join(', ') ?? '*'}
      error={errorOf(errors, 'types')}
      autocomplete="off"
      required
    />
    <Field
      label={t('console.webhooks.description')}
      name="description"
      defaultValue={webhook?.description ?? ''}
      maxLength={200}
      error={errorOf(errors, 'description')}
      autocomplete="off"
    />
  </>
);
