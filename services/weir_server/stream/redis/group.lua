-- Make the shard's consumer group, also when Redis is full; an error reply when it is there.
-- KEYS 1 log, 2 a key that never exists; ARGV 1 group
redis.call('DEL', KEYS[2]) -- first: a Redis that is full lets a script finish that has begun by freeing
return redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
