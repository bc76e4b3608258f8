import { createClient } from '#src/client/index';
import { data } from '#screens/ui/data';
import { askForProof } from '#screens/ui/questions';

/** The way to the server: what any app has. */
export const client = createClient({
  url: data.publicUrl,
  credentials: 'cookie',
  prompt: askForProof,
});
