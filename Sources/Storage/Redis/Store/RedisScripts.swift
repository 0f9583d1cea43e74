/// What is done in Redis itself, at once. Sent by their SHA-1; a server that does not know a digest gets the text.
///
/// Lua's numbers are doubles: totals are compared as text, and never computed with, or they would lose units beyond 2^53.
enum RedisScripts {
  struct Script {
    let text: String
    let digest: String
  }

  static let all = [total, fields, members, reset]

  /// Makes all known to a server, so that not every command of the first moment has to come back with its script.
  static var loading: [RESPCommand] { all.map { RESPCommand("SCRIPT", "LOAD", $0.text) } }

  /// Whether one number, in decimal, is less than another, or is not there.
  static let less = """
    local function less(a, b)
      if not a then return true end
      local x, y = string.match(a, '^%d+$'), string.match(b, '^%d+$')
      if x and y then
        if #x ~= #y then return #x < #y end
        return x < y
      end
      return (tonumber(a) or 0) < (tonumber(b) or 0)
    end
    """

  /// KEYS: a total's. ARGV: agent, its total, its base; at a run's first write what the agent knew of its total, and the run.
  /// Answer: the agent's base as it is now; if nothing was written, because there is a larger total than was known, that too.
  ///
  /// A larger total that this run has written itself, in an answer that was lost, is not found. The base is written where it is missing or
  /// smaller, else it is read back: a reset that somebody else made is learned here. A base of 0 is not written.
  static let total = Script(
    text: """
      \(less)
      local key, agent, total, base, known, run = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
      local stored = redis.call('HMGET', key, agent, agent .. '.base', agent .. '.run')
      if known and stored[1] and stored[3] ~= run and less(known, stored[1]) then
        return {stored[2] or '0', stored[1]}
      end
      if total ~= stored[1] then redis.call('HSET', key, agent, total) end
      if run then
        redis.call('HSET', key, agent .. '.run', run)
      elseif stored[3] then
        redis.call('HDEL', key, agent .. '.run')
      end
      if (stored[2] or base ~= '0') and less(stored[2], base) then
        redis.call('HSET', key, agent .. '.base', base)
      elseif stored[2] then
        base = stored[2]
      end
      return {base}
      """,
    digest: "ee2bcd9e665a21d714eacdd61ed025714050718e")

  /// KEYS: a hash of history. ARGV: the seconds that it is kept, then fields and values by turns.
  ///
  /// Some thousands at once, since Lua has no room for all fields of a long one.
  static let fields = Script(
    text: """
      for i = 2, #ARGV, 4000 do
        redis.call('HSET', KEYS[1], unpack(ARGV, i, math.min(i + 3999, #ARGV)))
      end
      return redis.call('EXPIRE', KEYS[1], ARGV[1])
      """,
    digest: "3b85e5620683b78047a7c30f491688ffe17d6cef")

  /// KEYS: a set's members, and a name for what is joined to them, in the same slot. ARGV: the seconds that they are kept, a HyperLogLog.
  static let members = Script(
    text: """
      if redis.call('EXISTS', KEYS[1]) == 0 then
        return redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[1])
      end
      redis.call('SET', KEYS[2], ARGV[2], 'EX', 60)
      local answer = redis.pcall('PFMERGE', KEYS[1], KEYS[2])
      redis.call('DEL', KEYS[2])
      if not answer.err then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
      return answer
      """,
    digest: "8a73bbe92836c422ae8f7d70efa307b76fb554a9")

  /// KEYS: a total's. ARGV: agent and its total, or nothing.
  /// Answer: the number of agents whose base was set.
  ///
  /// Sets the base of every agent to its total, that of the agent that asks included, which is written first if it is missing or smaller.
  /// Done twice it resets twice, as if it had come but once, and later.
  static let reset = Script(
    text: """
      \(less)
      local key, agent, total = KEYS[1], ARGV[1], ARGV[2]
      if agent and less(redis.call('HGET', key, agent), total) then redis.call('HSET', key, agent, total) end
      local fields = redis.call('HGETALL', key)
      local agents = 0
      for i = 1, #fields, 2 do
        if not string.find(fields[i], '.', 1, true) then
          redis.call('HSET', key, fields[i] .. '.base', fields[i + 1])
          agents = agents + 1
        end
      end
      return agents
      """,
    digest: "f8fcef5da7c370e50a33a54664d1116cac5b08c3")
}

extension RedisRequest {
  /// One script on keys of one slot.
  convenience init(
    _ script: RedisScripts.Script, keys: [[UInt8]], _ arguments: [[UInt8]], completion: @escaping Completion
  ) {
    func command(_ name: String, _ script: String) -> RESPCommand {
      RESPCommand([Array(name.utf8), Array(script.utf8), Array("\(keys.count)".utf8)] + keys + arguments)
    }
    self.init(
      command("EVALSHA", script.digest), spare: { command("EVAL", script.text) }, at: KeyPlace(of: keys[0]), completion)
  }
}
