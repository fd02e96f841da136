-- Note the block that is about to be inserted; 0 when the lease is lost.
-- KEYS 1 lease, 2 inflight; ARGV 1 owner, 2 first id, 3 last id, 4 token
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[2]) -- first: a Redis that is full lets a script finish that has begun by freeing
redis.call('HSET', KEYS[2], 'first_id', ARGV[2], 'last_id', ARGV[3], 'token', ARGV[4])
return 1
