import CLinux
import Glibc
import Platform

/// Which processor a thread may run on: senders have the first, what is measured has the second.
enum Pinning {
  static let senders = 0
  static let measured = 1

  /// Runs `body` with the calling thread bound to `processor`; what is started meanwhile inherits that. Where there is no such
  /// processor, nothing is bound.
  static func on<Result, Failure: Error>(
    _ processor: Int?, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let processor, processor < ProcessFacts.processors else { return try body() }
    var before = [UInt64](repeating: 0, count: 16)
    // Safe: here and below, the length passed is the array's.
    unsafe _ = footfall_affinity(0, before.count * 8, &before)
    bind([UInt64(1) << UInt64(processor)] + [UInt64](repeating: 0, count: 15))
    defer { bind(before) }
    return try body()
  }

  private static func bind(_ mask: [UInt64]) { unsafe _ = footfall_set_affinity(0, mask.count * 8, mask) }
}
