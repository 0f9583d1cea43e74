/// What is done in Redis itself to take one key from a shard to another: read it, merge it there, then remove here what has not changed
/// since. Each step may be done twice, and what is killed between two of them is done again: nothing is lost, nothing counts twice.
enum MovingScripts {
  /// What a shard is asked first. KEYS: its marker, and one for this run of an agent. ARGV: the shard's number.
  /// Answer: the number of the shard that this server was asked as before, in this run, or this one's; its marker.
  private static let introduce = """
    if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'EX', 600) then ARGV[1] = redis.call('GET', KEYS[2]) end
    return {ARGV[1], redis.call('GET', KEYS[1])}
    """

  static func introduction(marker: [UInt8], probe: [UInt8], shard: Int) -> RESPCommand {
    RESPCommand(["EVAL", introduce, "2"].map { Array($0.utf8) } + [marker, probe, Array("\(shard)".utf8)])
  }

  static let all = [read, mergeHash, mergeMembers, removeFields, removeMembers]

  /// KEYS: any key. Answer: its type; of a hash or a HyperLogLog also what it has to live, in milliseconds (-1: for ever), and its fields
  /// and values, or the whole of it and its SHA-1.
  ///
  /// A stream is removed: it is that of the resets, which nobody reads here any more.
  static let read = RedisScripts.Script(
    text: """
      local key = KEYS[1]
      local kind = redis.call('TYPE', key).ok
      if kind == 'hash' then return {kind, redis.call('PTTL', key), redis.call('HGETALL', key)} end
      if kind == 'string' and redis.call('GETRANGE', key, 0, 3) == 'HYLL' then
        local value = redis.call('GET', key)
        return {kind, redis.call('PTTL', key), {value, redis.sha1hex(value)}}
      end
      if kind == 'stream' then redis.call('DEL', key) end
      return {kind}
      """,
    digest: "3fc480caa096bf834bd3a6c6a314d093a1206ef8")

  /// What is merged lives as long as the longer of both.
  private static let longer = """
    if before == -1 or lifetime == -1 then
      redis.call('PERSIST', key)
    elseif lifetime > before then
      redis.call('PEXPIRE', key, lifetime)
    end
    """

  /// KEYS: a hash. ARGV: what the other one has to live, its fields and values by turns.
  ///
  /// A field's larger value stays, of a minimum the smaller one, of a sum that which goes with the larger count. Which run wrote a total
  /// first is not taken along: it ended with the list of shards that it had.
  static let mergeHash = RedisScripts.Script(
    text: """
      \(RedisScripts.less)
      local key, lifetime = KEYS[1], tonumber(ARGV[1])
      local before = redis.call('PTTL', key)
      local moved, stored = {}, {}
      for i = 2, #ARGV, 2 do
        moved[ARGV[i]] = ARGV[i + 1]
        stored[ARGV[i]] = redis.call('HGET', key, ARGV[i])
      end
      for field, value in pairs(moved) do
        local agent, name = string.match(field, '^([^.]*)%.?(.*)$')
        local old, wins = stored[field], false
        if name == 'run' then
          wins = false
        elseif not old then
          wins = true
        elseif name == 'min' then
          wins = less(value, old)
        elseif name == 'sum' then
          wins = less(stored[agent .. '.count'], moved[agent .. '.count'] or '0')
        else
          wins = less(old, value)
        end
        if wins then redis.call('HSET', key, field, value) end
      end
      \(longer)
      return 1
      """,
    digest: "8654dd3bda7a080bfe0cff54b2c1d5a144521118")

  /// KEYS: a set's members. ARGV: what the other ones have to live, and they, a HyperLogLog.
  ///
  /// Shards are no Cluster, so that the name for what is joined need not be among the keys.
  static let mergeMembers = RedisScripts.Script(
    text: """
      local key, other, lifetime = KEYS[1], KEYS[1] .. ':moving', tonumber(ARGV[1])
      local before = redis.call('PTTL', key)
      redis.call('SET', other, ARGV[2], 'EX', 60)
      local answer = redis.pcall('PFMERGE', key, other)
      redis.call('DEL', other)
      if answer.err then return answer end
      \(longer)
      return 1
      """,
    digest: "e622505f0d9c9903e40113e166478bfd5dd9bcb0")

  /// KEYS: a hash. ARGV: fields and values by turns: each field goes that still has this value.
  static let removeFields = RedisScripts.Script(
    text: """
      for i = 1, #ARGV, 2 do
        if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
      end
      return 1
      """,
    digest: "f73e153d9ca0a8f2a2fc9206b89de66e2aa93522")

  /// KEYS: a set's members. ARGV: the SHA-1 that they still have to have.
  static let removeMembers = RedisScripts.Script(
    text: """
      local value = redis.call('GET', KEYS[1])
      if value and redis.sha1hex(value) == ARGV[1] then redis.call('DEL', KEYS[1]) end
      return 1
      """,
    digest: "5a99e10e7c8f076ca57e28d9c2d23a9d3d582889")
}

extension RedisRequest {
  /// One script on one key, wherever that should be: for one server and no other.
  convenience init(
    moving key: [UInt8], _ script: RedisScripts.Script, _ arguments: [[UInt8]],
    completion: @escaping (Result<RESPValue, RedisFailure>) -> Void
  ) {
    func command(_ name: String, _ script: String) -> RESPCommand {
      RESPCommand([Array(name.utf8), Array(script.utf8), [UInt8(ascii: "1")], key] + arguments)
    }
    self.init(
      command("EVALSHA", script.digest), spare: { command("EVAL", script.text) }, at: nil
    ) { result, _ in completion(result) }
  }
}
