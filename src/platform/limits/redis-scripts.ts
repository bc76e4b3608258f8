/**
 * The same as a hit in `database-store`: one argument for the time, then six for each counter. Redis runs one script at a
 * time. Answers the place of the counter that refused and when it opens, or nothing.
 */
export const HIT = `
local now = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  local at = 6 * i - 4
  local max, window = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local from, to, forget = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local row = redis.call('HMGET', key, 'hits', 'opens', 'resets')
  local hits, opens, resets = tonumber(row[1] or 0), tonumber(row[2] or 0), tonumber(row[3] or 0)
  if opens > now then return {i - 1, opens} end
  if resets <= now then hits, resets = 0, now + window end
  hits, opens = hits + 1, 0
  if hits >= max and from > 0 then
    resets = now + forget
    opens = now + math.min(to, from * 2 ^ math.min(hits - max, 40))
  elseif hits >= max then
    opens = resets
  end
  redis.call('HSET', key, 'hits', hits, 'opens', opens, 'resets', resets)
  redis.call('PEXPIRE', key, resets - now)
end
return {}`;

/** The same as there, with the arguments of a hit. The sixth is how many hits are taken back. */
export const TAKE_BACK = `
for i, key in ipairs(KEYS) do
  local at = 6 * i - 4
  local max, drop = tonumber(ARGV[at]), tonumber(ARGV[at + 5])
  local hits = tonumber(redis.call('HGET', key, 'hits') or 0) - drop
  if hits <= 0 then
    redis.call('DEL', key)
  else
    redis.call('HSET', key, 'hits', hits)
    if hits < max then redis.call('HSET', key, 'opens', 0) end
  end
end`;

/** Hits and opening of each counter, or two nothings. */
export const READ = `
local rows = {}
for i, key in ipairs(KEYS) do rows[i] = redis.call('HMGET', key, 'hits', 'opens') end
return rows`;

export const FORGET = `for _, key in ipairs(KEYS) do redis.call('DEL', key) end`;

/** Fails on a server that does not take writes: a replica, one that still loads, or one whose memory or disk is full. */
export const PROBE = `redis.call('SET', KEYS[1], 1, 'PX', 1000)`;
