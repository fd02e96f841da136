-- Keep the shard's lease; 0 when it is not ours any more, also when nobody has it.
-- KEYS 1 lease; ARGV 1 owner, 2 milliseconds
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
