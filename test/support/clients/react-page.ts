/** What the page of `startSite` has of React and of the client: one file, as a bundler of an app makes it. */
export { createElement, StrictMode } from 'react';
export { createRoot, hydrateRoot } from 'react-dom/client';
export * from '#src/client/index';
export * from '#src/client/react';
