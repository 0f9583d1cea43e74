import Platform

/// A process that receives: the product, or the bare receiver that it is held against.
protocol Receiving {
  var reading: ProcessReading { get }
  /// How the names of its receiving threads begin.
  static var receivingThreads: String { get }
  /// What it has received, and what the kernel has dropped at its sockets.
  func received() throws(SystemError) -> Received
}

struct Received: Equatable {
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
  /// Nanoseconds that they were ready to run and had no processor.
  var waiting: Int64 = 0

  /// Of the time that they wanted to run, what others took.
  var percentWaiting: Double { 100 * Double(waiting) / Double(max(1, waiting + cpu)) }
  var cpuADatagram: Double { Double(cpu) / Double(max(1, received.datagrams)) }
  var cpuALine: Double { Double(cpu) / Double(max(1, received.lines)) }
  var isLossFree: Bool { received.dropped == 0 }
  /// Received a second of sending.
  var datagramsPerSecond: Double { Double(received.datagrams) * 1e9 / Double(max(1, sent.nanoseconds)) }
  var linesPerSecond: Double { Double(received.lines) * 1e9 / Double(max(1, sent.nanoseconds)) }

  /// Sends and waits until all of it is received or dropped, or nothing has come for 200 ms.
  init(_ receiver: some Receiving, _ crew: Crew, seconds: Double, pace: Double? = nil) throws(SystemError) {
    let threads = type(of: receiver).receivingThreads
    let before = try receiver.received()
    let cpuBefore = receiver.reading.cpu(ofThreads: threads)
    let waitingBefore = receiver.reading.waiting(ofThreads: threads)
    sent = try crew.send(seconds: seconds, pace: pace)
    // Of trains that the kernel could not keep it counts one drop each, so a sum that stands still is an end too.
    var still = 0
    while !isComplete && still < 100 {
      Clock.sleep(nanoseconds: 2_000_000)
      let now = try receiver.received()
      let last = received
      received = Received(
        datagrams: now.datagrams - before.datagrams, dropped: now.dropped - before.dropped,
        lines: now.lines - before.lines)
      still = received == last ? still + 1 : 0
    }
    cpu = receiver.reading.cpu(ofThreads: threads) - cpuBefore
    waiting = receiver.reading.waiting(ofThreads: threads) - waitingBefore
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
