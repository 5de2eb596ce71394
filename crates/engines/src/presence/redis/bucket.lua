-- A token bucket as the generic cell rate algorithm keeps it: KEYS[1] is the time at which it will be full again, as
-- milliseconds and nanoseconds, because a number here is exact only up to 2^53. A bucket that is not there is full.
-- ARGV: the time; what is asked for and what the bucket holds, both as nanoseconds; how many milliseconds longer than it
-- is not full it is kept. Returns 0, or after how many milliseconds to come again.
local now, cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local asked = cost
local full_at = redis.call('GET', KEYS[1])
if full_at then
  local ms, ns = string.match(full_at, '^(%d+) (%d+)$')
  asked = asked + math.max((tonumber(ms) - now) * 1000000 + tonumber(ns), 0)
end
if asked > burst then
  local too_far = asked - burst + 999999
  return (too_far - too_far % 1000000) / 1000000
end
if cost > 0 then
  local ns = asked % 1000000
  local ms = (asked - ns) / 1000000
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', now + ms, ns), 'PX', string.format('%.0f', ms + 1 + ARGV[4]))
end
return 0
