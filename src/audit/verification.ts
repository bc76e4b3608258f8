/**
 * What is wrong at a place of the trail. `changed`: not what the server wrote, or never written by it. `missing`: somebody
 * took out the entries up to `to`. `moved`: written by the server, but not at this place, or the hashes from here on were
 * made anew. `unknown_key`: nobody can prove it, its key is lost. `day_changed`, `ends_changed`: what says how long the trail
 * must be was changed. `unproved`: the server found that itself. `surplus`: behind the end of the trail.
 */
type AuditFault =
  | 'changed'
  | 'missing'
  | 'moved'
  | 'unknown_key'
  | 'day_changed'
  | 'ends_changed'
  | 'unproved'
  | 'surplus';

export interface FoundFault {
  fault: AuditFault;
  /** The place. Null for an entry that is not sealed. */
  seq: number | null;
  /** The last of several places. */
  to?: number;
  /** Of the entry. */
  id?: string;
  /** The day (UTC) whose end was changed. */
  day?: string;
}

export interface AuditVerification {
  ok: boolean;
  /** How many entries were looked at, those that are not sealed yet included. */
  entries: number;
  /** The first and the last place. 0: the trail is empty. */
  firstSeq: number;
  lastSeq: number;
  /** Of the last entry. Whoever keeps it elsewhere can later prove that the trail up to it is the same. */
  lastHash: string;
  /** The first hundred. */
  faults: FoundFault[];
}
