import Platform

/// What the program takes beside the series: known before it starts, and no option makes it less.
enum MemoryNeeds {
  /// The program with its libraries, threads' stacks and the allocator's, resident; measured 13 MiB with the toolchain's libraries.
  private static let program = 16 << 20
  /// A worker's buffers once they have met datagrams and reads of full length, its log of samples that bear their time, and its empty table.
  static let worker = DatagramArena.byteCount + StreamBuffer.readSize + (1 << 20)
  /// The query thread's table and view, empty, and the least that history is given.
  private static let query = 4 << 20
  /// With less, a limit would let nothing be counted by its own name: some thousand series, or a minute of a hundred timers.
  private static let series = 4 << 20

  /// The Redis thread, and its queues when they are full: 16 MiB of writes, some ten thousand of what asks and what is told.
  private static let redis = 24 << 20
  /// A server's buffers: 4 MiB that it does not take, and what is read at once.
  private static let redisServer = 5 << 20
  /// Masters of the least Cluster. One that has more than that and than are named here takes `redisServer` more for each: which they are
  /// is only learned from it.
  private static let redisMasters = 3
  /// What was read of a count, with a few agents; a set's members take more.
  private static let redisAnswer = 1 << 10

  /// Bytes of the program with so many workers that holds no series.
  static func fixed(_ configuration: Configuration, workers: Int) -> Int {
    let nodes = configuration.redisCluster.count
    let servers = configuration.redis.count + (nodes == 0 ? 0 : max(nodes, redisMasters))
    let sharing = servers == 0 ? 0 : redis + servers * redisServer + configuration.cacheCapacity * redisAnswer
    return program + query + workers * worker + sharing
  }

  /// The least `--memory-limit`, in whole MiB.
  static func least(_ configuration: Configuration, workers: Int) -> Int {
    let mebibyte = 1 << 20
    return (fixed(configuration, workers: workers) + series + mebibyte - 1) / mebibyte * mebibyte
  }
}
