import Aggregation
import Bytes
import Platform
import Protocol
import Synchronization

/// Datagrams: waited for or come back to, taken in batches, counted.
extension ReceiveWorker {
  /// Batches taken from one socket before the others get their turn.
  private static var batchesInARow: Int { 16 }

  /// What taking from a socket came to.
  private struct Taken {
    var messages = 0
    /// Of the receive buffer, by `DatagramInlet.charge`.
    var charged = 0
    /// The last batch was small: nearly nothing is left.
    var isDry = false
  }

  static func watchDatagrams(_ index: Int, of plan: WorkerPlan, in poll: Poll) throws(SystemError) {
    try poll.add(plan.datagrams[index].descriptor, token: Token.firstDatagram + UInt64(index), for: .input)
  }

  /// Takes what came at a socket that was waited for. If more has come when that is counted, its sender is busy.
  mutating func wake(_ index: Int) {
    let began = Clock.monotonic()
    var taken = take(index)
    if inlets[index].longestNap == 0 { return }
    if taken.isDry {
      Clock.sleep(nanoseconds: DatagramInlet.shortest)
      taken = take(index)
    }
    if taken.messages == 0 { return }
    poll.remove(plan.datagrams[index].descriptor)
    inlets[index].becomeBusy(now: began)
  }

  /// Takes what came at each busy socket, and naps if that was little.
  mutating func takeInTurns(mayNap: Bool) {
    var nap = Int.max
    for index in inlets.indices where inlets[index].isBusy {
      let taken = take(index)
      if inlets[index].isSilent(messages: taken.messages) && mayNap {
        inlets[index].noteDrops(Socket.drops(plan.datagrams[index].descriptor))
        // Whatever has come since is an event at once.
        inlets[index].isBusy = (try? Self.watchDatagrams(index, of: plan, in: poll)) == nil
        continue
      }
      nap = min(nap, taken.isDry ? inlets[index].nap(charged: taken.charged, now: Clock.monotonic()) : 0)
    }
    if mayNap && nap > 0 && nap != .max { Clock.sleep(nanoseconds: nap) }
  }

  private mutating func take(_ index: Int) -> Taken {
    var taken = Taken()
    for _ in 0..<Self.batchesInARow {
      let asked = inlets[index].messagesAtOnce
      let count = receiveBatch(index, &taken.charged)
      taken.messages += count
      // Half of what was asked for: the socket is about to run dry.
      taken.isDry = count < asked / 2
      if taken.isDry { break }
    }
    return taken
  }

  /// Takes what has arrived at some of the sockets and nothing more. They refuse arrivals by now (`Socket.refuseArrivals`), so it ends.
  mutating func drainDatagrams(where isMeant: (WorkerPlan.Source) -> Bool) {
    var charged = 0
    for index in plan.datagrams.indices where isMeant(plan.datagrams[index]) {
      while receiveBatch(index, &charged) > 0 {}
    }
  }

  /// Takes and counts one batch of messages.
  private mutating func receiveBatch(_ index: Int, _ charged: inout Int) -> Int {
    let source = plan.datagrams[index]
    let count = arena.receive(
      source.descriptor, most: inlets[index].messagesAtOnce, joined: source.joinsDatagrams)
    if count == 0 { return 0 }
    table.beginBatch(monotonic: Clock.monotonic(), wall: Clock.wall() / 1_000_000_000)
    table.tally = LineTally()
    for slot in 0..<count {
      let sender = arena.sender(slot)
      if _slowPath(filter.isOn), !filter.hears(sender) {
        countRun(slot, from: sender, isHeard: false)
      } else if _fastPath(arena.isWholeDatagram(slot)) {
        let datagram = arena.message(slot)
        table.tally.datagrams &+= 1
        table.tally.bytes &+= UInt64(datagram.count)
        table.count(datagram, from: sender)
      } else {
        countRun(slot, from: sender)
      }
    }
    table.endBatch()
    let bytes = Int(table.tally.bytes)
    inlets[index].noteBatch(messages: count, bytes: bytes)
    charged += DatagramInlet.charge(messages: count, bytes: bytes)
    source.books.ledgers[plan.index].add(table.tally)
    let datagrams = Int(table.tally.datagrams)
    if _slowPath(datagrams != count || inlets[index].hasRuns) {
      bookDrops(index, messages: count, datagrams: datagrams)
    }
    return count
  }

  /// Counts a run of datagrams that the kernel has joined, each by itself: the end of a datagram ends its last line. Of a message that
  /// was longer than its slot the last one is cut.
  /// - Parameter isHeard: false: the lines are booked as refused, unread. A single datagram is then a run of one.
  private mutating func countRun(_ slot: Int, from sender: SenderAddress, isHeard: Bool = true) {
    let whole = arena.message(slot).count
    let segment = max(1, arena.segmentBytes(slot))
    let isCut = arena.isTruncated(slot)
    if isHeard, !isCut, let lines = arena.lines(slot, segment: segment) {
      table.tally.datagrams &+= UInt64((whole + segment - 1) / segment)
      table.tally.bytes &+= UInt64(whole)
      return table.count(lines, from: sender)
    }
    var start = 0
    repeat {
      let end = min(start + segment, whole)
      table.tally.datagrams &+= 1
      table.tally.bytes &+= UInt64(end - start)
      let isLast = end == whole
      arena.withDatagram(slot, start..<end) { datagram in
        if !isHeard {
          table.refuseLines(datagram, .refusedSource, from: sender)
        } else if _slowPath(isLast && isCut) {
          Self.countCut(datagram, into: &table, from: sender)
        } else {
          table.count(datagram, from: sender)
        }
      }
      start = end
    } while start < whole
  }

  /// Where runs come, the kernel's number of drops tells less than was lost.
  private mutating func bookDrops(_ index: Int, messages: Int, datagrams: Int) {
    let source = plan.datagrams[index]
    let drops = Socket.drops(source.descriptor)
    let more = inlets[index].dropsWithinRuns(drops: drops, messages: messages, datagrams: datagrams)
    if more > 0 { source.books.dropsWithinRuns.wrappingAdd(more, ordering: .relaxed) }
  }

  /// The lines before the cut are whole; the cut one is refused.
  private static func countCut(_ datagram: PaddedBytes, into table: inout WorkerTable, from sender: SenderAddress) {
    var end = datagram.count
    while end > 0 && datagram[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    // Safe: the byte behind the shorter view is the LF just found, and what follows it is the rest of the slot.
    if end > 0 { unsafe table.count(PaddedBytes(unsafeBase: datagram.address(of: 0), count: end - 1), from: sender) }
    table.refuse(.truncated, from: sender)
  }
}
