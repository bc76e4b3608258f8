/**
 * A program that imports every file named on standard input, and prints what each import did besides loading modules.
 * The files are those of a build. `argv[2]` is the folder of the build.
 */
import { createHook } from 'node:async_hooks';
import dns from 'node:dns';
import fs from 'node:fs';
import module, { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';

const build = process.argv[2]!;
const deeds: string[] = [];

/** The function of the build that called, or undefined if a package or Node itself did. */
function callerInBuild(): string | undefined {
  const lines = new Error().stack!.split('\n').slice(3);
  const caller = lines.find((line) => !line.includes('import-record'));
  return caller?.includes(build) ? caller.trim() : undefined;
}
const isModuleLoader = () => /\n\s+at .*node:internal\/modules\//.test(new Error().stack!);

/** Notes each call of a function that our code makes, and each that a package makes outside of the loader of modules. */
function watch(owner: object, names: readonly string[]): void {
  for (const name of names) {
    const original: unknown = Reflect.get(owner, name);
    if (typeof original !== 'function') continue;
    const watched = function (this: unknown, ...args: unknown[]): unknown {
      const caller = callerInBuild();
      if (caller || !isModuleLoader()) deeds.push(`${name}(${String(args[0])}) ${caller ?? ''}`);
      return new.target
        ? Reflect.construct(original, args, new.target)
        : Reflect.apply(original, this, args);
    };
    Object.setPrototypeOf(watched, original);
    watched.prototype = original.prototype;
    Object.defineProperty(owner, name, { value: watched, configurable: true, writable: true });
  }
}

const isChange =
  /^(read|write|append|mkdir|rm|unlink|open|exists|stat|lstat|access|copy|rename|link|symlink|chmod|watch|create)/;
const names = (owner: object) => Object.keys(owner).filter((name) => isChange.test(name));
watch(fs, names(fs));
watch(fs.promises, names(fs.promises));
watch(net.Socket.prototype, ['connect']);
watch(net.Server.prototype, ['listen']);
watch(dns, ['lookup', 'resolve']);
watch(module, ['register', 'registerHooks']);
watch(process, ['on', 'once', 'addListener', 'chdir', 'exit', 'getBuiltinModule']);
watch(globalThis, ['setTimeout', 'setInterval', 'fetch']);
syncBuiltinESMExports();

const { env } = process;
process.env = new Proxy(env, {
  get(target, name) {
    const caller = callerInBuild();
    if (caller) deeds.push(`env.${String(name)} ${caller}`);
    return Reflect.get(target, name);
  },
});

const timers = new Set<number>();
createHook({
  init: (id, type) => void (type === 'Timeout' && timers.add(id)),
  destroy: (id) => void timers.delete(id),
}).enable();

/** Functions that other packages share through a prototype or a module. One that was replaced shows. */
async function shared(): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  const add = (name: string, owner: object) => {
    for (const key of Reflect.ownKeys(owner)) {
      const descriptor = Object.getOwnPropertyDescriptor(owner, key)!;
      found.set(`${name}.${String(key)}`, descriptor.value ?? Reflect.get(descriptor, 'get'));
    }
  };
  const [passport, { Strategy }, { Sequelize, Model }, express] = await Promise.all([
    import('passport'),
    import('passport-jwt'),
    import('sequelize'),
    import('express'),
  ]);
  add('passport', passport.default);
  add('passport.Passport', passport.default.Passport.prototype);
  add('passport.Strategy', passport.default.Strategy.prototype);
  add('passport-jwt.Strategy', Strategy);
  add('passport-jwt.Strategy.prototype', Strategy.prototype);
  add('Sequelize', Sequelize);
  add('Sequelize.prototype', Sequelize.prototype);
  add('Model', Model);
  add('Model.prototype', Model.prototype);
  add('express.application', express.default.application);
  add('express.request', express.default.request);
  add('express.response', express.default.response);
  for (const name of ['Object', 'Array', 'Function', 'Promise', 'String', 'Error', 'Map', 'JSON']) {
    const owner = Reflect.get(globalThis, name) as object & { prototype?: object };
    add(name, owner);
    if (owner.prototype) add(`${name}.prototype`, owner.prototype);
  }
  return found;
}

/** Globals that are made by Node itself when `fetch` or `Headers` is first named, and by zod: not by our modules. */
const isForeign = (name: string) => /^Symbol\(undici\.|^__zod_/.test(name);
const globals = () =>
  new Set(
    Reflect.ownKeys(globalThis)
      .map(String)
      .filter((name) => !isForeign(name)),
  );

const listeners = () =>
  process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`);
const resources = () => process.getActiveResourcesInfo().sort();
const files = () => fs.readdirSync('/proc/self/fd').length;

async function held() {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  return { listeners: listeners(), resources: resources(), files: files(), timers: timers.size };
}

const report: Record<string, unknown> = {};
const list = JSON.parse(await text(process.stdin)) as string[];
deeds.length = 0;
for (const file of list) {
  const then = JSON.stringify(await held());
  const [before, named] = [await shared(), globals()];
  deeds.length = 0;
  await import(file);
  const did = [...deeds];
  const now = JSON.stringify(await held());
  if (now !== then) did.push(`holds ${now}, held ${then}`);
  const after = await shared();
  for (const [name, value] of after) if (before.get(name) !== value) did.push(`changed ${name}`);
  for (const name of before.keys()) if (!after.has(name)) did.push(`removed ${name}`);
  for (const name of globals()) if (!named.has(name)) did.push(`made global ${name}`);
  if (did.length > 0) report[file.replace(build, '')] = did;
}
console.log(JSON.stringify(report));
