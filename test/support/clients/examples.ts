import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxiosError, AxiosInstance, AxiosResponse } from 'axios';
import { sdk } from '#test/support/clients/sdk';
import { root } from '#test/support/process';

export const guide = readFileSync(join(root, 'docs', 'clients.md'), 'utf8');

/** The code blocks of docs/clients.md, by the heading that each stands under. */
export const blocks = new Map(
  guide.split(/^#+ (?=\S+\.js$)/m).flatMap((section) => {
    const found = /^(\S+\.js)\n[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(section);
    return found ? [[found[1]!, found[2]!] as const] : [];
  }),
);

/** The block itself as a module: nothing of it is written down a second time. */
export async function load<T>(name: string): Promise<T> {
  const file = resolve('guide', name.replace('.js', '.mjs'));
  if (mkdirSync('guide', { recursive: true }))
    symlinkSync(join(root, 'node_modules'), 'guide/node_modules');
  writeFileSync(file, blocks.get(name)!);
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as T;
}

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  session: { id: string };
  user: { id: string; username: string };
}
export interface Storage {
  get: () => Promise<Tokens | null>;
  set: (tokens: Tokens) => Promise<void>;
  clear: () => Promise<void>;
}
export interface Options {
  baseUrl: string;
  storage: Storage;
  timeout?: number;
  sleep?: (seconds: number) => Promise<unknown>;
}
export interface Reply {
  status: number;
  // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
  body: any;
}
export interface Client {
  login: (credentials: object) => Promise<Reply>;
  logout: () => Promise<Reply>;
  request: (method: string, path: string, body?: object) => Promise<Reply>;
}
interface FetchModule {
  createClient: (options: Options) => Client;
}
interface AxiosModule {
  createClient: (options: Options) => {
    api: AxiosInstance;
    login: (credentials: object) => Promise<AxiosResponse>;
    logout: () => Promise<AxiosResponse>;
  };
}

const { createClient: ofFetch } = await load<FetchModule>('fetch-client.js');
const { createClient: ofAxios } = await load<AxiosModule>('axios-client.js');

/** Axios rejects where fetch answers. */
const asReply = async (answer: Promise<AxiosResponse>): Promise<Reply> => {
  const { status, data } = await answer.catch((error: AxiosError) => {
    if (error.response) return error.response;
    throw error;
  });
  return { status, body: data };
};

/** Both examples under one face, and `sallyport/client` under it, too. */
export const examples: [name: string, create: (options: Options) => Client][] = [
  ['the fetch client', ofFetch],
  [
    'the axios client',
    (options) => {
      const { api, login, logout } = ofAxios(options);
      return {
        login: (credentials) => asReply(login(credentials)),
        logout: () => asReply(logout()),
        request: (method, url, data) => asReply(api.request({ method, url, data })),
      };
    },
  ],
  ['sallyport/client', sdk],
];
