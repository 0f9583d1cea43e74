-- Adds the total and the base of agents that are gone for good to the field "folded" of one hash, and deletes theirs.
--
--     redis-cli --eval fold.lua 'footfall:{visit}' , AGENT [AGENT …]
--
-- The sum of all agents stays what it is, since all of it is done at once. Run twice it finds nothing the second time.
-- Answer: how many agents were folded. Lua's numbers lose units beyond 2^53, so Redis adds.
local function add(field, number)
  local isWhole = string.match(number, '^-?%d+$')
  -- What fails answers with a table.
  if not isWhole or type(redis.pcall('HINCRBY', KEYS[1], field, number)) == 'table' then
    redis.call('HINCRBYFLOAT', KEYS[1], field, number)
  end
end

local folded = 0
for _, agent in ipairs(ARGV) do
  local total = redis.call('HGET', KEYS[1], agent)
  if total and agent ~= 'folded' then
    add('folded', total)
    add('folded.base', redis.call('HGET', KEYS[1], agent .. '.base') or '0')
    redis.call('HDEL', KEYS[1], agent, agent .. '.base', agent .. '.run')
    folded = folded + 1
  end
end
return folded
