import Platform
import Synchronization

/// Senders at work together, each on a thread of its own.
final class Crew: Sendable {
  private let members: [Member]
  private let processor: Int?

  private final class Member: Sendable {
    let sender: Mutex<Sender>
    let outcome = Mutex<Result<Sent, SystemError>>(.success(Sent()))
    init(_ sender: Sender) { self.sender = Mutex(sender) }
  }

  /// - Parameters:
  ///   - sockets: of each sender.
  ///   - processor: where they run; nil: everywhere.
  init(
    _ traffic: Traffic, to target: Target, threads: Int = 1, sockets: Int = 1, processor: Int? = Pinning.senders
  ) throws(SystemError) {
    var members: [Member] = []
    for number in 0..<threads {
      members.append(
        Member(try Sender(traffic, to: target, sockets: sockets, start: Double(number) / Double(threads))))
    }
    self.members = members
    self.processor = processor
  }

  /// Sends for so long, or until each has sent so many lines.
  /// - Parameter pace: lines a second of all senders together; nil: as fast as it goes.
  func send(seconds: Double, pace: Double? = nil, lines: Int = .max) throws(SystemError) -> Sent {
    let share = pace.map { $0 / Double(members.count) }
    var threads: [Thread] = []
    for member in members {
      threads.append(
        try Thread("sender") { [processor] in
          Pinning.on(processor) {
            let result = member.sender.withLock { sender in
              Result { () throws(SystemError) in try sender.send(seconds: seconds, pace: share, lines: lines) }
            }
            member.outcome.withLock { $0 = result }
          }
        })
    }
    for thread in threads { thread.join() }
    var all = Sent()
    for member in members {
      let sent = try member.outcome.withLock { $0 }.get()
      all.datagrams += sent.datagrams
      all.lines += sent.lines
      all.nanoseconds = max(all.nanoseconds, sent.nanoseconds)
    }
    return all
  }
}
