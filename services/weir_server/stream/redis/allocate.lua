-- Give out the next number of a series; the same claim gets the same number.
-- KEYS 1 the number given last, 2 the number of this claim
-- ARGV 1 a number that is taken, with all below it, 2 seconds a series is kept, 3 seconds a claim is kept
-- Repeating it is safe: the second time the claim is known.
local claimed = redis.call('GET', KEYS[2])
if claimed then
  return claimed
end
local number = math.max(tonumber(redis.call('GET', KEYS[1]) or ARGV[1]), tonumber(ARGV[1])) + 1
redis.call('SET', KEYS[1], number, 'EX', ARGV[2])
redis.call('SET', KEYS[2], number, 'EX', ARGV[3])
return tostring(number)
