-- Append one frame of a producer, if it is the next in line.
-- KEYS 1 log, 2 producer, 3 payload bytes
-- ARGV 1 producer (16 bytes), 2 seq, 3 most payload bytes, 4 seconds a silent producer is kept, 5 payload
-- Returns {outcome, highest accepted seq}. Repeating it is safe: the second time is a DUP.
local last = redis.call('HGET', KEYS[2], 'last')
if not last then
  return {'UNKNOWN', '0'}
end
local seq, known = tonumber(ARGV[2]), tonumber(last)
if seq <= known then
  return {'DUP', last}
end
if seq ~= known + 1 then
  return {'GAP', last}
end
-- An empty log takes any one entry, so that a small budget can never wedge a producer.
local held = tonumber(redis.call('GET', KEYS[3]) or '0')
if held > 0 and held + #ARGV[5] > tonumber(ARGV[3]) then
  return {'FULL', last}
end
redis.call('XADD', KEYS[1], '*', 'p', ARGV[1], 'q', ARGV[2], 'd', ARGV[5])
redis.call('HSET', KEYS[2], 'last', ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('INCRBY', KEYS[3], #ARGV[5])
return {'OK', ARGV[2]}
