import Aggregation
import Platform
import Protocol
import Synchronization

/// `/status`, and the ledger as `/stats` shows it too.
enum StatusAnswer {
  static func status(_ state: QueryState) -> Response {
    .json(
      JSONWriter.object(capacity: 4_096) { json in
        HealthAnswer.writeStatus(HealthAnswer.reasons(state), to: &json)
        json.member("phase", "\(state.agent.phase)")
        json.member("uptime", uptime(microseconds: state.uptimeNanoseconds / 1_000))
        json.member("total_requests", state.requests.total)
        json.member("version", state.settings.version)
        json.key("debug_mode")
        json.bool(false)
        writeStore(state, to: &json)
        json.key("listeners")
        json.array { json in
          for books in state.books { json.object { writeListener(books, state, to: &$0) } }
        }
        json.member("workers", state.books.map(\.ledgers.count).max() ?? 0)
        json.member("series", state.view.seriesCount)
        json.member("history") { writeHistory(state, to: &$0) }
        if let keeping = state.keeping { json.member("journal") { write(keeping, to: &$0) } }
        json.member("memory") { writeMemory(state, to: &$0) }
        json.member("ledger") { writeLedger(state.books, to: &$0) }
        json.key("recent_refusals")
        json.array { json in
          for line in state.view.recentRefusals.reversed() { json.object { write(line, to: &$0) } }
        }
        json.key("senders")
        json.array { json in
          for sender in state.view.senders.top(sendersShown) { json.object { write(sender, to: &$0) } }
        }
        json.member("senders_others_lines", state.view.senders.others)
      })
  }

  private static let sendersShown = 100

  /// `1:23:45.678901`, days before it if there are any: as Python writes a time span.
  static func uptime(microseconds: Int64) -> String {
    let seconds = microseconds / 1_000_000
    let days = seconds / 86_400
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return (days == 0 ? "" : "\(days) day\(days == 1 ? "" : "s"), ")
      + "\(seconds / 3_600 % 24):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(microseconds % 1_000_000, 6))"
  }

  /// Newest first; of all refused lines the first few of each second.
  private static func write(_ line: RefusedLine, to json: inout JSONWriter) {
    json.member("time", WallClock.iso8601(line.second * 1_000_000_000))
    json.member("sender", line.sender?.description ?? "unknown")
    json.member("error", line.reason.label)
    json.member("at", UInt64(clamping: line.offset))
    json.key("line")
    json.string(line.text)
    json.member("line_bytes", UInt64(clamping: line.length))
  }

  /// `lines` may hold up to `overcount` of others.
  private static func write(_ sender: SenderRanking.Entry, to json: inout JSONWriter) {
    json.member("address", sender.address.description)
    json.member("lines", sender.lines)
    json.member("refused", sender.refused)
    if sender.overcount > 0 { json.member("overcount", sender.overcount) }
  }

  /// What came, and what became of it: in all, and by listener.
  static func writeLedger(_ books: [ListenerBooks], to json: inout JSONWriter) {
    var all = LineTally()
    var dropped: UInt64 = 0
    let each = books.map { books in (name: books.name, tally: books.read(), dropped: books.kernelDrops()) }
    for one in each {
      all.add(one.tally)
      dropped += one.dropped
    }
    write(all, dropped: dropped, to: &json)
    json.member("listeners") { json in
      for one in each {
        json.key(one.name.utf8)
        json.object { write(one.tally, dropped: one.dropped, to: &$0) }
      }
    }
  }

  static func write(_ tally: LineTally, dropped: UInt64, to json: inout JSONWriter) {
    json.member("datagrams_received", tally.datagrams)
    json.member("datagrams_dropped", dropped)
    json.member("bytes_received", tally.bytes)
    json.member("lines_read", tally.lines)
    json.member("lines_accepted", tally.accepted)
    json.member("lines_refused") { json in
      for reason in Refusal.allCases { json.member(reason.label, tally.refused[Int(reason.rawValue)]) }
    }
    json.member("sections_skipped", tally.skippedSections)
  }

  private static func writeListener(_ books: ListenerBooks, _ state: QueryState, to json: inout JSONWriter) {
    json.member("name", books.name)
    if books.kind == .http {
      json.key("addresses")
      json.array { json in
        for address in state.addresses { json.string(address) }
      }
    }
    if books.kind == .datagrams { return }
    json.member("connections", books.connections.load(ordering: .relaxed))
    json.member("connections_rejected", ListenerBooks.Rejection.allCases.reduce(0) { $0 + books.rejected($1) })
    json.member("rejections") { json in
      for reason in ListenerBooks.Rejection.allCases {
        json.member(reason.label, UInt64(clamping: books.rejected(reason)))
      }
    }
  }

  /// How far the budget of history reaches.
  private static func writeHistory(_ state: QueryState, to json: inout JSONWriter) {
    json.member("series", state.view.historyHeld.series)
    json.member("metrics", state.view.historyHeld.families)
    json.member("evictions", state.view.historyLosses.evictions)
    json.member("misfits", state.view.historyLosses.misfits)
  }

  /// How the store that several agents share is; without one there is none to be unwell.
  private static func writeStore(_ state: QueryState, to json: inout JSONWriter) {
    let condition = state.sharing?.store.condition() ?? SharedCondition()
    json.member("redis_status") { json in
      json.member("nodes", condition.nodes.count)
      json.member("healthy_nodes", condition.nodes.count { $0.isUp })
      json.member("node_status") { json in
        for node in condition.nodes {
          json.key(node.url.utf8)
          json.bool(node.isUp)
        }
      }
    }
    json.member("counter_status") { json in
      json.member("cache_size", condition.cacheSize)
      json.member("write_buffer_size", state.view.unshared)
    }
  }

  /// How the journal is, and what became of what it had kept.
  private static func write(_ keeping: Keeping, to json: inout JSONWriter) {
    let condition = keeping.keeper.condition()
    json.key("restoring")
    json.bool(keeping.isRestoring)
    json.member("bytes", condition.bytes)
    json.member("errors", condition.errors)
    json.member("writes", condition.writes)
    json.member("write_seconds", condition.writeSeconds)
    json.member("held_answers", keeping.held.count)
    json.member("records_restored", keeping.tally.records)
    json.member("records_skipped", condition.skippedFrames + keeping.tally.skipped)
    json.member("bytes_skipped", condition.skippedBytes)
    json.member("series_limited", keeping.tally.limited)
  }

  private static func writeMemory(_ state: QueryState, to json: inout JSONWriter) {
    let parts = state.view.memory + state.memoryElsewhere
    for (part, bytes) in parts { json.member(part, bytes) }
    json.member("total", parts.reduce(0) { $0 + $1.bytes })
    if let limit = state.settings.memoryLimit { json.member("limit", limit) }
    if let facts = ProcessFacts.read() { json.member("resident", facts.residentBytes) }
  }
}
