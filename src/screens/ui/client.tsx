import { createClient } from '#src/client/index';
import { data } from '#screens/ui/data';
import { askForProof } from '#screens/ui/prompt';

/** The way to the server: what any app has. */
export const client = createClient({
  url: data.publicUrl,
  prompt: askForProof,
});
