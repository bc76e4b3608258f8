import { join } from 'node:path';
import { rolldown, type OutputChunk } from 'rolldown';
import { root } from '#test/support/process';

async function chunkOf(file: string, options: object, minify: boolean): Promise<OutputChunk> {
  const built = await rolldown({ input: join(root, file), ...options });
  const { output } = await built.generate({ format: 'esm', minify });
  await built.close();
  return output[0];
}

/** What an app gets of a module of src/client: one file, without spaces. `external` is what the app brings itself. */
export const bundle = (name: string, external: string[] = []): Promise<OutputChunk> =>
  chunkOf(`src/client/${name}.ts`, { external, platform: 'neutral' }, true);

/** The client, React and react-dom for a page, with React's warnings. */
export async function reactBundle(): Promise<string> {
  const define = { 'process.env.NODE_ENV': '"development"' };
  const options = { platform: 'browser', transform: { define } };
  return (await chunkOf('test/support/clients/react-page.ts', options, false)).code;
}
