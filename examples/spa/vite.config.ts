import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// Inside this repository the client is its source. Elsewhere, install the package `sallyport` and remove this.
const source = (name: string) =>
  fileURLToPath(new URL(`../../src/client/${name}.ts`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: { 'sallyport/client': source('index'), 'sallyport/react': source('react') },
    dedupe: ['react', 'react-dom'],
  },
});
