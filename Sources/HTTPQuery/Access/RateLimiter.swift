import Platform

/// How often each client may ask: a bucket of tokens each, filled at `perSecond`, that holds a second's worth.
///
/// Of a bucket only the time is kept at which it will be full (the generic cell rate algorithm, ITU-T I.371): a full one is the same as
/// none, so those are what leaves. An IPv6 client is its /64, since a host has all of it. Clients beyond `most` share one bucket until some
/// have left: the memory is bounded, and a flood of addresses is no way around the limit.
struct RateLimiter {
  /// Clients that have a bucket of their own, some 4 MiB.
  static let most = 65_536

  let perSecond: Int
  /// When each bucket will be full, on the clock that requests are told. Swift seeds its hash by process.
  private var full: [SenderAddress: UInt64] = [:]
  private var fullOfOthers: UInt64 = 0

  init(perSecond: Int) { self.perSecond = perSecond }

  /// Clients that have a bucket which is not full.
  var count: Int { full.count }

  /// Takes a token for `client`, if there is one.
  /// - Returns: nil, or whole seconds until there is one again.
  mutating func take(_ client: SenderAddress, nanoseconds: UInt64) -> Int? {
    let client = client.isV4 ? client : client.masked(to: 64)
    if let time = full[client] {
      guard let next = next(time, nanoseconds) else { return wait(time, nanoseconds) }
      full[client] = next
    } else if full.count < Self.most {
      full[client] = next(0, nanoseconds)
    } else {
      guard let next = next(fullOfOthers, nanoseconds) else { return wait(fullOfOthers, nanoseconds) }
      fullOfOthers = next
    }
    return nil
  }

  /// Forgets the buckets that are full. Called once a second.
  /// - Complexity: O(clients).
  mutating func forgetFull(nanoseconds: UInt64) {
    if full.isEmpty { return }
    let kept = full.filter { $0.value > nanoseconds }
    // A new table, so that the memory goes too.
    if kept.count < full.count { full = kept }
  }

  private var interval: UInt64 { 1_000_000_000 / UInt64(perSecond) }
  private static let depth: UInt64 = 1_000_000_000

  /// When the bucket will be full once a token is taken; nil: there is none.
  private func next(_ time: UInt64, _ now: UInt64) -> UInt64? {
    let next = max(time, now) + interval
    return next <= now + Self.depth ? next : nil
  }

  private func wait(_ time: UInt64, _ now: UInt64) -> Int {
    let ready = time + interval - Self.depth
    return Int((max(ready, now + 1) - now + 999_999_999) / 1_000_000_000)
  }
}
