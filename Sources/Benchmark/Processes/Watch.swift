import Platform
import Synchronization

/// Says to another thread that it shall end.
final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

/// Looks at an agent from two threads: its memory, and how fast it answers what shall always be fast.
struct Watch {
  struct Seen {
    var greatestResident: Int64 = 0
    /// Nanoseconds that each answer took.
    var answers: [Int64] = []

    var percentile99: Double {
      let sorted = answers.sorted()
      return sorted.isEmpty ? .nan : Double(sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
    }
  }

  private final class Shared: Sendable {
    let stop = Flag()
    let seen = Mutex(Seen())
  }

  private let shared = Shared()
  private let threads: [Thread]

  /// Begins to look.
  init(_ agent: AgentProcess) throws(SystemError) {
    let reading = agent.reading
    let port = agent.http.port
    let shared = shared
    threads = [
      try Thread("watch memory") {
        while !shared.stop.isSet {
          let resident = reading.residentBytes
          shared.seen.withLock { $0.greatestResident = max($0.greatestResident, resident) }
          Clock.sleep(nanoseconds: 2_000_000)
        }
      },
      try Thread("watch health") {
        guard let client = try? HTTPClient.Kept(port: port) else { return }
        while !shared.stop.isSet {
          let begin = Clock.monotonic()
          if (try? client.ask("/health")) == nil { return }
          let took = Clock.monotonic() - begin
          shared.seen.withLock { $0.answers.append(took) }
          Clock.sleep(nanoseconds: 1_000_000)
        }
      },
    ]
  }

  /// Ends, and tells what was seen.
  func end() -> Seen {
    shared.stop.set()
    for thread in threads { thread.join() }
    return shared.seen.withLock { $0 }
  }
}
