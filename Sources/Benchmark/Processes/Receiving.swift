import Platform

/// A process that receives: the product, or the bare receiver that it is held against.
protocol Receiving {
  var reading: ProcessReading { get }
  /// How the names of its receiving threads begin.
  static var receivingThreads: String { get }
  /// What it has received, and what the kernel has dropped at its sockets.
  func received() throws(SystemError) -> Received
}

struct Received {
  var datagrams = 0
  var dropped = 0
  var lines = 0
}

extension AgentProcess: Receiving {
  static var receivingThreads: String { "worker" }

  func received() throws(SystemError) -> Received {
    let books = try books()
    return Received(datagrams: books.datagrams, dropped: books.dropped, lines: books.lines)
  }
}

extension BareReceiverProcess: Receiving {
  static var receivingThreads: String { "receiver" }

  func received() throws(SystemError) -> Received {
    let books = try books()
    return Received(datagrams: books.datagrams, dropped: books.dropped)
  }
}

/// One stretch of sending, and what came of it.
struct Trial {
  var sent: Sent
  var received = Received()
  /// Nanoseconds of the receiving threads.
  var cpu: Int64 = 0

  var cpuADatagram: Double { Double(cpu) / Double(max(1, received.datagrams)) }
  var cpuALine: Double { Double(cpu) / Double(max(1, received.lines)) }
  var isLossFree: Bool { received.dropped == 0 }
  /// Received a second of sending.
  var datagramsPerSecond: Double { Double(received.datagrams) * 1e9 / Double(max(1, sent.nanoseconds)) }
  var linesPerSecond: Double { Double(received.lines) * 1e9 / Double(max(1, sent.nanoseconds)) }

  /// Sends and waits until all of it is received or dropped, at most two seconds.
  init(_ receiver: some Receiving, _ crew: Crew, seconds: Double, pace: Double? = nil) throws(SystemError) {
    let threads = type(of: receiver).receivingThreads
    let before = try receiver.received()
    let cpuBefore = receiver.reading.cpu(ofThreads: threads)
    sent = try crew.send(seconds: seconds, pace: pace)
    let end = Clock.monotonic() + 2_000_000_000
    repeat {
      Clock.sleep(nanoseconds: 2_000_000)
      let now = try receiver.received()
      received = Received(
        datagrams: now.datagrams - before.datagrams, dropped: now.dropped - before.dropped,
        lines: now.lines - before.lines)
    } while !isComplete && Clock.monotonic() < end
    cpu = receiver.reading.cpu(ofThreads: threads) - cpuBefore
  }

  private var isComplete: Bool {
    sent.datagrams > 0 ? received.datagrams + received.dropped >= sent.datagrams : received.lines >= sent.lines
  }

  /// The trial at the highest pace without loss that a search by halves finds.
  static func bestLossFree(
    _ receiver: some Receiving, _ crew: Crew, seconds: Double, steps: Int
  ) throws(SystemError) -> Trial {
    let unpaced = try Trial(receiver, crew, seconds: seconds)
    if unpaced.isLossFree { return unpaced }
    var best: Trial?
    var low = 0.0
    // More than was received at full speed may go through at an even pace.
    var high = unpaced.sent.linesPerSecond
    var pace = min(high, unpaced.sent.linesPerSecond * unpaced.shareReceived)
    for _ in 0..<steps {
      let trial = try Trial(receiver, crew, seconds: seconds, pace: pace)
      if trial.isLossFree {
        if best.map({ trial.linesPerSecond > $0.linesPerSecond }) ?? true { best = trial }
        low = pace
      } else {
        high = pace
      }
      pace = (low + high) / 2
    }
    return best ?? unpaced
  }

  /// Of the datagrams sent.
  var percentLost: Double { 100 * Double(received.dropped) / Double(max(1, sent.datagrams)) }

  private var shareReceived: Double { Double(received.datagrams) / Double(max(1, sent.datagrams)) }
}
