-- Append one frame of a producer, if it is the next in line and its project has room.
-- KEYS 1 log, 2 producer, 3 payload bytes, 4 payload bytes by project
-- ARGV 1 producer (16 bytes), 2 seq, 3 most payload bytes, 4 seconds a silent producer is kept, 5 payload,
--      6 project, 7 times the free room that a project may hold, 8 the first seq it stands for
-- Returns {outcome, highest accepted seq}. Repeating it is safe: the second time is a DUP.
local last = redis.call('HGET', KEYS[2], 'last')
if not last then
  return {'UNKNOWN', '0'}
end
local first, seq, known = tonumber(ARGV[8]), tonumber(ARGV[2]), tonumber(last)
if seq <= known then
  return {'DUP', last}
end
if first ~= known + 1 then
  return {'GAP', last}
end
-- An empty log takes any one entry, so that a small budget can never wedge a producer.
local size, most = #ARGV[5], tonumber(ARGV[3])
local held = tonumber(redis.call('GET', KEYS[3]) or '0')
if held > 0 then
  if held + size > most then
    return {'FULL', last}
  end
  -- Who holds much leaves room to newcomers, and past the middle nobody grows beyond an equal share.
  local own = tonumber(redis.call('HGET', KEYS[4], ARGV[6]) or '0')
  local share = tonumber(ARGV[7]) * (most - held)
  if held * 2 > most then
    share = math.min(share, most / redis.call('HLEN', KEYS[4]))
  end
  if own > 0 and own + size > share then
    return {'FULL', last}
  end
end
redis.call('XADD', KEYS[1], '*', 'p', ARGV[1], 'q', ARGV[2], 'd', ARGV[5], 'j', ARGV[6])
redis.call('HSET', KEYS[2], 'last', ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('INCRBY', KEYS[3], size)
redis.call('HINCRBY', KEYS[4], ARGV[6], size)
return {'OK', ARGV[2]}
