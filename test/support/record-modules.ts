/**
 * For `node --import`: writes the URL of each module that is loaded to the file that RECORD_MODULES names, a line each,
 * and at SIGUSR2 those of Node itself.
 */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env['RECORD_MODULES']!;
const note = (...lines: string[]) => appendFileSync(file, `${lines.join('\n')}\n`);
registerHooks({
  load(url, context, next) {
    note(url);
    return next(url, context);
  },
});
process.on('SIGUSR2', () =>
  note(...(process as unknown as { moduleLoadList: string[] }).moduleLoadList, 'all'),
);
