import type { Webhook } from '#src/client/index';
import { errorOf } from '#screens/console/operator/parts';
import { WebhookTypes } from '#screens/console/operator/webhook-types';
import { Field } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

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
      label={t('console.webhooks.description')}
      name="description"
      defaultValue={webhook?.description ?? ''}
      maxLength={200}
      error={errorOf(errors, 'description')}
      autocomplete="off"
    />
    <WebhookTypes held={webhook?.types ?? ['*']} errors={errors} />
  </>
);
