-- Take the shard's lease, or keep it; 0 when another owner holds it.
-- KEYS 1 lease; ARGV 1 owner, 2 milliseconds
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1]) -- first: a Redis that is full lets a script finish that has begun by freeing
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
