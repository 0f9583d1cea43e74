import Platform
import Synchronization

/// Says that connections cannot be taken: once a minute, however often it happens.
final class ShortageLog: Sendable {
  private static let interval: Int64 = 60_000_000_000

  private let log: Log
  /// When the next line may be written, on the clock that never jumps.
  private let next = Mutex(Int64.min)

  init(_ log: Log) { self.log = log }

  /// Any thread may call it.
  func note(_ error: SystemError) {
    let now = Clock.monotonic()
    let isDue = next.withLock { next in
      if now < next { return false }
      next = now + Self.interval
      return true
    }
    if !isDue { return }
    log.warning(
      "connections cannot be taken and wait: raise the limit of open files, or lower those of connections",
      ["reason": .text(error)])
  }
}
