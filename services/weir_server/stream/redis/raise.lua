-- Make a producer known and its accepted seq at least ARGV[1]; returns it.
-- KEYS 1 producer; ARGV 1 seq, 2 seconds a silent producer is kept
local last = redis.call('HGET', KEYS[1], 'last')
if not last or tonumber(last) < tonumber(ARGV[1]) then
  last = ARGV[1]
  redis.call('HSET', KEYS[1], 'last', last)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return last
