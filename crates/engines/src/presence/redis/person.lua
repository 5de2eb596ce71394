-- One person: KEYS[1] is a hash of their devices, each with its state and until when it counts, and of `since`.
-- ARGV: what to do, the time; to touch or leave: the device; to touch: its state, until when it counts, after how many
-- milliseconds the person is forgotten, how many devices there may be. A state is 0 (offline), 1 (away) or 2 (online).
local verb, now, device = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local since, devices = nil, {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] == 'since' then
    since = tonumber(fields[i + 1])
  else
    local state, ends = string.match(fields[i + 1], '^(%d) (%d+)$')
    devices[fields[i]] = { state = tonumber(state), ends = tonumber(ends) }
  end
end
if not since then
  if verb ~= 'touch' then return { 0, 0 } end
  since = now
end

-- The state now, and since when. It fell to this state when the last device that held it higher had its time.
local function at()
  local state, from = 0, since
  for _, other in pairs(devices) do
    if other.ends > now then state = math.max(state, other.state) end
  end
  for _, other in pairs(devices) do
    if other.state > state then from = math.max(from, other.ends) end
  end
  return state, from
end

local before, from = at()
if verb == 'of' then return { before, from } end

local function forget(id)
  devices[id] = nil
  redis.call('HDEL', KEYS[1], id)
end

local count, oldest = 0, nil
for id, other in pairs(devices) do
  if id == device or other.ends <= now then
    forget(id)
  else
    count = count + 1
    if not oldest or other.ends < devices[oldest].ends then oldest = id end
  end
end
if verb == 'touch' and tonumber(ARGV[4]) > 0 then
  if count >= tonumber(ARGV[7]) then forget(oldest) end
  devices[device] = { state = tonumber(ARGV[4]), ends = tonumber(ARGV[5]) }
  redis.call('HSET', KEYS[1], device, ARGV[4] .. ' ' .. ARGV[5])
end
local after = at()
redis.call('HSET', KEYS[1], 'since', string.format('%.0f', before == after and from or now))
if verb == 'touch' then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
return { before, after }
