export { createClient } from '#src/client/create-client';
export {
  expoSecureStore,
  localStorage,
  memoryStorage,
  reactNativeKeychain,
  sessionStorage,
} from '#src/client/storages';
export type {
  Client,
  ClientOptions,
  Dpop,
  Failure,
  Problem,
  Prompt,
  Proof,
  Result,
  State,
  Storage,
  Success,
  Ways,
} from '#src/client/types';
export type { ExpoSecureStore, ReactNativeKeychain } from '#src/client/storages';
export type * from '#src/client/api';
