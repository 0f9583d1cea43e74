/// What is done in Redis itself, on one key, at once. Sent by their SHA-1; a server that does not know a digest gets the text.
///
/// Lua's numbers are doubles: totals are compared as text, and never computed with, or they would lose units beyond 2^53.
enum RedisScripts {
  struct Script {
    let text: String
    let digest: String
  }

  /// Makes both known to a server, so that not every command of the first batch has to come back with its script.
  static var loading: [RESPCommand] { [write, reset].map { RESPCommand("SCRIPT", "LOAD", $0.text) } }

  /// KEYS: series. ARGV: agent, its total, its base, "1" to keep a larger total that is there.
  /// Answer: the agent's total and base as they are now.
  ///
  /// The total is written as it is given, or, at an agent's first write after a start, only where it is missing or smaller. The base is
  /// written where it is missing or smaller, else it is read back: a reset that somebody else made is learned here. A base of 0 is not
  /// written.
  static let write = Script(
    text: """
      local function less(a, b)
        if not a then return true end
        local x, y = string.match(a, '^%d+$'), string.match(b, '^%d+$')
        if x and y then
          if #x ~= #y then return #x < #y end
          return x < y
        end
        return (tonumber(a) or 0) < (tonumber(b) or 0)
      end
      local key, agent, total, base = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
      local stored = redis.call('HMGET', key, agent, agent .. '.base')
      if ARGV[4] == '1' and not less(stored[1], total) then total = stored[1] end
      if total ~= stored[1] then redis.call('HSET', key, agent, total) end
      if (stored[2] or base ~= '0') and less(stored[2], base) then
        redis.call('HSET', key, agent .. '.base', base)
      elseif stored[2] then
        base = stored[2]
      end
      return {total, base}
      """,
    digest: "6af485af745763561ffeacd269da42a5a4e54159")

  /// KEYS: series. ARGV: agent, its total.
  /// Answer: the number of agents whose base was set.
  ///
  /// Sets the base of every agent to its total, after writing that of the agent that asks. Done twice it resets twice, as if it had come
  /// but once, and later.
  static let reset = Script(
    text: """
      redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
      local fields = redis.call('HGETALL', KEYS[1])
      local agents = 0
      for i = 1, #fields, 2 do
        if string.sub(fields[i], -5) ~= '.base' then
          redis.call('HSET', KEYS[1], fields[i] .. '.base', fields[i + 1])
          agents = agents + 1
        end
      end
      return agents
      """,
    digest: "d3680092a48b17d196d0b5d7ae7125b55df66ea5")
}

extension RedisRequest {
  /// One script on one key.
  convenience init(
    _ script: RedisScripts.Script, key: [UInt8], at place: KeyPlace, _ arguments: [UInt8]...,
    completion: @escaping Completion
  ) {
    func command(_ name: String, _ script: String) -> RESPCommand {
      RESPCommand([Array(name.utf8), Array(script.utf8), [UInt8(ascii: "1")], key] + arguments)
    }
    self.init(
      command("EVALSHA", script.digest), spare: command("EVAL", script.text), at: place, completion)
  }
}
