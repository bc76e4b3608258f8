import { createClient } from '#src/client/index';
import { acting, actingStorage } from '#screens/ui/acting';
import { data } from '#screens/ui/data';
import { askForProof } from '#screens/ui/questions';

/** The way to the server: what any app has. */
export const client = createClient({
  url: data.publicUrl,
  ...(acting ? actingStorage() : { credentials: 'cookie', prompt: askForProof }),
});
