import Aggregation
import Bytes
import Platform
import Protocol
import Synchronization

/// The program's own families, `footfall_*` and `process_*`, which come first on every page.
struct OwnMetrics {
  private var page: OwnPage

  init(_ language: ExpositionFormat.Language, _ metric: Glob?) { page = OwnPage(language, metric) }

  /// The families as text.
  static func text(
    _ state: QueryState, _ view: borrowing MergedView, _ language: ExpositionFormat.Language, _ metric: Glob?
  ) -> [UInt8] {
    var own = OwnMetrics(language, metric)
    own.writeProgram(state)
    own.writeLedger(state.books, misplaced: view.lateMisplaced)
    own.writeHTTP(state)
    own.writeView(state, view)
    own.writeJournal(state.keeping)
    own.writeRedis(state.sharing?.store.condition() ?? SharedCondition(), unshared: view.unshared)
    if let facts = ProcessFacts.read() { own.writeProcess(state, facts) }
    return own.page.text.bytes
  }

  private mutating func writeProgram(_ state: QueryState) {
    page.family("footfall_build_info", .gauge, "The version that runs; the value is always 1.") {
      $0.sample([("version", state.settings.version)], 1)
    }
    page.family("footfall_start_time_seconds", .gauge, "When the program began to answer, in seconds since 1970.") {
      $0.sample(Double(state.startedWall) / 1e9)
    }
    page.family("footfall_config_reloads_total", .counter, "Times that the configuration was read again, by outcome.") {
      $0.sample([("outcome", "success")], state.agent.soundReloads.load(ordering: .relaxed))
      $0.sample([("outcome", "failure")], state.agent.faultyReloads.load(ordering: .relaxed))
    }
  }

  /// Lines read = accepted + refused, and datagrams received + dropped = sent, whenever nothing is in flight.
  private mutating func writeLedger(_ books: [ListenerBooks], misplaced: UInt64) {
    let each = books.map { (name: $0.name, kind: $0.kind, tally: $0.read()) }
    let datagrams = books.filter { $0.kind == .datagrams }
    page.family("footfall_datagrams_received_total", .counter, "Datagrams received.") {
      for one in each where one.kind == .datagrams { $0.sample([("listener", one.name)], one.tally.datagrams) }
    }
    page.family(
      "footfall_datagrams_dropped_total", .counter,
      "Datagrams that the kernel dropped because the receive buffer was full."
    ) {
      for one in datagrams { $0.sample([("listener", one.name), ("where", "kernel")], one.kernelDrops()) }
    }
    page.family("footfall_bytes_received_total", .counter, "Bytes received in datagrams and streams.") {
      for one in each { $0.sample([("listener", one.name)], one.tally.bytes) }
    }
    page.family("footfall_lines_read_total", .counter, "Lines read; each is accepted or refused.") {
      for one in each { $0.sample([("listener", one.name)], one.tally.lines) }
    }
    page.family("footfall_lines_accepted_total", .counter, "Lines accepted.") {
      for one in each { $0.sample([("listener", one.name)], one.tally.accepted) }
    }
    page.family("footfall_lines_refused_total", .counter, "Lines refused, by reason.") {
      for one in each {
        for reason in Refusal.allCases {
          $0.sample(
            [("listener", one.name), ("reason", "\(reason.label)")], one.tally.refused[Int(reason.rawValue)])
        }
      }
    }
    page.family(
      "footfall_sections_skipped_total", .counter, "Sections of accepted lines that the grammar does not know."
    ) {
      for one in each { $0.sample([("listener", one.name)], one.tally.skippedSections) }
    }
    page.family("footfall_samples_total", .counter, "Samples counted, by kind.") {
      for kind in SampleKind.allCases {
        $0.sample(
          [("kind", "\(kind.label)")], each.reduce(0) { $0 + $1.tally.samples[Int(kind.rawValue)] })
      }
    }
    page.family(
      "footfall_out_of_window_total", .counter, "Samples whose timestamp was too far off: counted, but not in history."
    ) {
      $0.sample(each.reduce(0) { $0 + $1.tally.outOfWindow })
    }
    page.family(
      "footfall_late_samples_misplaced_total", .counter,
      "Samples with a time of their own that came in history as of the present, too many having come within a flush."
    ) {
      $0.sample(misplaced)
    }
    page.family("footfall_connections", .gauge, "Connections open now.") {
      for one in books where one.kind != .datagrams {
        $0.sample([("listener", one.name)], UInt64(one.connections.load(ordering: .relaxed)))
      }
    }
    page.family(
      "footfall_accept_failures_total", .counter,
      "Times that a connection could not be taken, as when file descriptors have run out: it waits on."
    ) {
      for one in books where one.kind != .datagrams {
        $0.sample([("listener", one.name)], one.failedAccepts.load(ordering: .relaxed))
      }
    }
    page.family(
      "footfall_connections_rejected_total", .counter, "Connections turned away or closed by the program, by reason."
    ) {
      for one in books where one.kind != .datagrams {
        for reason in ListenerBooks.Rejection.allCases {
          $0.sample(
            [("listener", one.name), ("reason", "\(reason.label)")], UInt64(clamping: one.rejected(reason)))
        }
      }
    }
  }

  private mutating func writeHTTP(_ state: QueryState) {
    page.family("footfall_http_requests_limited_total", .counter, "Requests refused because a client asked too often.")
    {
      $0.sample(state.limitedRequests)
    }
    page.family("footfall_http_held_bytes", .gauge, "Bytes of requests and answers that are under way.") {
      $0.sample(UInt64(max(0, state.heldBytes)))
    }
    page.family("footfall_http_requests_total", .counter, "Requests answered, by route and status.") {
      for (key, count) in state.requests.sorted {
        $0.sample([("route", key.route), ("code", "\(key.code)")], count)
      }
    }
    page.family(
      "footfall_bad_event_times_total", .counter,
      "Visits and purchases with a header field that should tell their time and does not: counted as of now."
    ) {
      $0.sample(state.badEventTimes)
    }
    page.family(
      "footfall_scrape_duration_seconds", .summary, "Making a page of metrics, without waiting for the scraper."
    ) {
      $0.durations(state.scrapes)
    }
    page.family("footfall_flush_duration_seconds", .summary, "Taking over what the workers gathered.") {
      $0.durations(state.flushes)
    }
  }

  private mutating func writeView(_ state: QueryState, _ view: borrowing MergedView) {
    let byKind = view.seriesByKind
    let memory = view.memory + state.memoryElsewhere
    let limited = view.limited
    let (held, losses) = (view.historyHeld, view.historyLosses)
    page.family("footfall_series", .gauge, "Live series, by kind.") {
      for kind in SampleKind.allCases { $0.sample([("kind", "\(kind.label)")], UInt64(byKind[Int(kind.rawValue)])) }
    }
    page.family(
      "footfall_series_limited_total", .counter, "Samples that a limit on series kept from their own, by metric."
    ) {
      for (metric, samples) in limited.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        $0.sample([("metric", metric)], UInt64(clamping: samples))
      }
    }
    page.family(
      "footfall_export_conflicts_total", .counter,
      "Families found to have a name of an earlier one or of this program, and series left out of a page whose labels had met."
    ) {
      for (metric, families) in state.exposed.conflicts.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        $0.sample([("metric", metric)], families)
      }
    }
    page.family(
      "footfall_history_series", .gauge, "Series that have a history; the budget of history reaches no farther."
    ) {
      $0.sample(UInt64(held.series))
    }
    page.family(
      "footfall_history_evictions_total", .counter, "Series and metrics whose history gave way to that of others."
    ) {
      $0.sample(losses.evictions)
    }
    page.family(
      "footfall_history_misfits_total", .counter, "Counts that found no room in history: they are in the totals only."
    ) {
      $0.sample(losses.misfits)
    }
    page.family("footfall_memory_bytes", .gauge, "Memory in use, by what it is for.") {
      for (part, bytes) in memory { $0.sample([("part", "\(part)")], UInt64(clamping: bytes)) }
    }
    page.family("footfall_memory_limit_bytes", .gauge, "What all of it together may take; 0 is no limit.") {
      $0.sample(UInt64(state.settings.memoryLimit ?? 0))
    }
  }

  /// All at 0 without a journal.
  private mutating func writeJournal(_ keeping: Keeping?) {
    let condition = keeping?.keeper.condition() ?? KeeperCondition()
    page.family("footfall_journal_bytes", .gauge, "Bytes of the journal's segments.") { $0.sample(condition.bytes) }
    page.family("footfall_journal_degraded", .gauge, "1 while the journal cannot be written.") {
      $0.sample(condition.isDegraded ? 1 as UInt64 : 0)
    }
    page.family("footfall_journal_errors_total", .counter, "Errors of writing and syncing the journal.") {
      $0.sample(condition.errors)
    }
    page.family("footfall_journal_write_duration_seconds", .summary, "Writing to the journal, with the sync.") {
      $0.durations(DurationTotal(count: condition.writes, seconds: condition.writeSeconds))
    }
    page.family(
      "footfall_journal_skipped_records_total", .counter,
      "Frames and records of the journal that the start could not read or apply."
    ) {
      $0.sample(condition.skippedFrames + (keeping?.tally.skipped ?? 0))
    }
  }

  /// All at 0, and no node, without a store that several agents share.
  private mutating func writeRedis(_ condition: SharedCondition, unshared: Int) {
    page.family("footfall_redis_up", .gauge, "1 while a node of Redis can be used.") {
      for node in condition.nodes { $0.sample([("node", node.url)], node.isUp ? 1 as UInt64 : 0) }
    }
    page.family("footfall_redis_commands_total", .counter, "Commands sent to Redis.") { $0.sample(condition.commands) }
    page.family("footfall_redis_errors_total", .counter, "Commands that Redis refused for good.") {
      $0.sample(condition.errors)
    }
    page.family("footfall_redis_retries_total", .counter, "Commands sent to Redis once more.") {
      $0.sample(condition.retries)
    }
    page.family("footfall_redis_moved_keys_total", .counter, "Keys taken to the shard where they belong.") {
      $0.sample(condition.movedKeys)
    }
    page.family("footfall_redis_moving", .gauge, "1 while keys are taken to the shards where they belong.") {
      $0.sample(condition.isMoving ? 1 as UInt64 : 0)
    }
    page.family("footfall_redis_sent_bytes_total", .counter, "Bytes sent to Redis.") { $0.sample(condition.bytesSent) }
    page.family(
      "footfall_redis_pending_series", .gauge, "Series and metrics whose counts have changed and are not yet in Redis."
    ) {
      $0.sample(UInt64(clamping: unshared))
    }
    page.family(
      "footfall_redis_cache_requests_total", .counter, "Looks into the cache before Redis, by what came of them."
    ) {
      $0.sample([("result", "hit")], condition.cacheHits)
      $0.sample([("result", "miss")], condition.cacheMisses)
    }
  }

  /// The families that every client library of Prometheus has.
  private mutating func writeProcess(_ state: QueryState, _ facts: ProcessFacts) {
    page.family("process_cpu_seconds_total", .counter, "User and system time used, in seconds.") {
      $0.sample(Double(Clock.processCPU()) / 1e9)
    }
    page.family("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.") {
      $0.sample(Double(state.startedWall) / 1e9)
    }
    page.family("process_resident_memory_bytes", .gauge, "Resident memory.") {
      $0.sample(UInt64(facts.residentBytes))
    }
    page.family("process_virtual_memory_bytes", .gauge, "Address space, reservations included.") {
      $0.sample(UInt64(facts.virtualBytes))
    }
    page.family("process_open_fds", .gauge, "Open file descriptors.") { $0.sample(UInt64(facts.openDescriptors)) }
    page.family("process_max_fds", .gauge, "File descriptors that may be open.") {
      $0.sample(UInt64(facts.descriptorLimit))
    }
    page.family("process_threads", .gauge, "Threads.") { $0.sample(UInt64(facts.threads)) }
  }
}
