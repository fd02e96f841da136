-- Remove stored entries and raise watermarks; 0 when the lease is lost (fenced) and nothing was done.
-- KEYS 1 log, 2 lease, 3 payload bytes, 4 inflight, 5 committed, 6 payload bytes by project
-- ARGV 1 owner, 2 group, 3 most watermarks kept, 4 number of entries, then (id, payload bytes, project)
--      each, then (producer, seq) each. Repeating it changes nothing.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[4]) -- first: a Redis that is full lets a script finish that has begun by freeing
local last_entry = 4 + 3 * tonumber(ARGV[4])
local freed, freed_by_project = 0, {}
for i = 5, last_entry, 3 do
  redis.call('XACK', KEYS[1], ARGV[2], ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    local size, project = tonumber(ARGV[i + 1]), ARGV[i + 2]
    freed = freed + size
    freed_by_project[project] = (freed_by_project[project] or 0) + size
  end
end
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('SET', KEYS[3], '0')
  redis.call('DEL', KEYS[6])
elseif freed > 0 then
  redis.call('DECRBY', KEYS[3], freed)
  for project, size in pairs(freed_by_project) do
    if redis.call('HINCRBY', KEYS[6], project, -size) <= 0 then
      redis.call('HDEL', KEYS[6], project)
    end
  end
end
-- The watermarks are a cache of ingest_commits: when it has grown large it is forgotten, not kept.
if redis.call('HLEN', KEYS[5]) > tonumber(ARGV[3]) then
  redis.call('DEL', KEYS[5])
end
for i = last_entry + 1, #ARGV, 2 do
  local before = redis.call('HGET', KEYS[5], ARGV[i])
  if not before or tonumber(before) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1])
  end
end
return 1
