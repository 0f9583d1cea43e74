/// How long to wait before the next try: twice as long each time up to a limit, half of it by chance, so that many agents that lost one
/// server do not come back in step.
struct Backoff {
  private let first: Int64
  private let longest: Int64
  private(set) var tries = 0

  init(first: Int64 = 50_000_000, longest: Int64 = 2_000_000_000) {
    self.first = first
    self.longest = longest
  }

  /// Nanoseconds to wait now: between half of min(first · 2^tries, longest) and all of it.
  mutating func next(_ random: inout some RandomNumberGenerator) -> Int64 {
    let whole = tries < 32 ? min(longest, first << Int64(tries)) : longest
    tries += 1
    return .random(in: whole / 2...whole, using: &random)
  }

  /// After a success.
  mutating func reset() { tries = 0 }
}
