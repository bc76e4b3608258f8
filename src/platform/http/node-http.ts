/**
 * Node's http. `import` of a module of Node reads each of its members, and `WebSocket` of this one loads the `fetch` of
 * Node: 6 MB and a twelfth of a second of a start that needs neither.
 */
export const nodeHttp = (): typeof import('node:http') => process.getBuiltinModule('node:http');
