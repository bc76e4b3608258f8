// Loaded before a server: its `Date` is ahead by what stands in the file CLOCK_FILE, which may change at any time. With
// CLOCK_HURRY, what happens every some minutes happens so many times as often.
import { readFileSync } from 'node:fs';

const LOOK_MS = 20;
const file = process.env['CLOCK_FILE']!;
const RealDate = Date;
let [offset, lookedAt, stoodAt] = [0, 0, 0];

function now(): number {
  const real = RealDate.now();
  if (real - lookedAt > LOOK_MS) {
    lookedAt = real;
    const said = readFileSync(file, 'utf8');
    if (said === 'frozen') stoodAt ||= real + offset;
    else [offset, stoodAt] = [Number(said), 0];
  }
  return stoodAt || real + offset;
}

globalThis.Date = class extends RealDate {
  constructor(...given: []) {
    if (given.length === 0) super(now());
    else super(...given);
  }

  static override now(): number {
    return now();
  }
} as DateConstructor;

const hurry = Number(process.env['CLOCK_HURRY'] ?? 1);
const [MINUTE, HOUR] = [60_000, 3_600_000];
const every = setInterval;
const sooner = (ms = 0) => (ms >= MINUTE && ms < HOUR ? ms / hurry : ms);
globalThis.setInterval = (work: () => void, ms?: number) => every(work, sooner(ms));
