import { join } from 'node:path';
import { rolldown, type OutputChunk } from 'rolldown';
import { root } from '#test/support/process';

/** What an app gets of a module of src/client: one file, without spaces. `external` is what the app brings itself. */
export async function bundle(name: string, external: string[] = []): Promise<OutputChunk> {
  const built = await rolldown({
    input: join(root, `src/client/${name}.ts`),
    external,
    platform: 'neutral',
  });
  const { output } = await built.generate({ format: 'esm', minify: true });
  await built.close();
  return output[0];
}
