/**
 * How this installation calls its command line, for texts that name a command. `url`: the address of a module of the
 * server.
 */
export function commandName(url = import.meta.url): string {
  if (url.endsWith('.ts')) return 'npm run cli --';
  return url.includes('/node_modules/sallyport/') ? 'npx sallyport' : 'sallyport';
}
