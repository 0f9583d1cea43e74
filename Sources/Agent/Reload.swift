import Aggregation
import HTTPQuery
import Platform
import Synchronization

/// SIGHUP: reads the configuration again, changes what can change in a running program, and says of the rest that it waits for a start.
///
/// Which options those are, the table says (`Options.Entry.isReloadable`). Threads get new settings as a whole and take them up when
/// they wake: none reads them in its loop, none waits. The token file is read again, whether its name has changed or not.
struct Reload {
  let share: WorkerShare
  let wakeUps: [WakeUp]
  let budget: SeriesBudget
  /// Series that the tables have room for.
  let seriesRoom: Int
  let workers: Int
  let log: Log

  /// - Returns: what the program runs with from now on.
  func run(_ running: Configuration, environment: [String: String]) -> Configuration {
    do throws(Options.Faults) {
      let invocation = try Options.invocation(
        arguments: Array(CommandLine.arguments.dropFirst()), environment: environment, read: Footfall.readConfiguration)
      guard case .serve(let wanted) = invocation else { return running }
      return apply(wanted, to: running)
    } catch {
      share.agent.faultyReloads.wrappingAdd(1, ordering: .relaxed)
      for fault in error.list { log.error("reload: the old configuration stays", ["fault": .text(fault.description)]) }
      return running
    }
  }

  private func apply(_ wanted: Configuration, to running: Configuration) -> Configuration {
    var next = running
    var unchanged = running
    var changed: [String] = []
    var waiting: [String] = []
    for entry in Options.table {
      if entry.isReloadable {
        if entry.copy(from: wanted, to: &next) { changed.append(entry.name) }
      } else if entry.copy(from: wanted, to: &unchanged) {
        waiting.append(entry.name)
      }
    }
    let tokens: BearerTokens?
    do throws(SecretFault) { tokens = try TokenFile.read(next) } catch {
      share.agent.faultyReloads.wrappingAdd(1, ordering: .relaxed)
      log.error("reload: the old configuration stays", ["fault": .text(error.description)])
      return running
    }
    SecretFault.warnIfOpen(next, log)
    handOver(next, tokens)
    share.agent.soundReloads.wrappingAdd(1, ordering: .relaxed)
    if !changed.isEmpty {
      let names: String = changed.joined(separator: ",")
      log.info("reload: changed", ["options": Log.Field.text(names)])
    }
    if !waiting.isEmpty {
      let names: String = waiting.joined(separator: ",")
      log.warning("reload: changed, and takes effect at the next start", ["options": Log.Field.text(names)])
    }
    if changed.isEmpty && waiting.isEmpty { log.info("reload: the configuration is the same") }
    return next
  }

  private func handOver(_ configuration: Configuration, _ tokens: BearerTokens?) {
    log.level = configuration.logLevel
    log.format = configuration.logFormat
    if configuration.maxSeries > seriesRoom {
      log.warning(
        "reload: max-series is more than this start has room for; the rest takes effect at the next",
        ["wanted": .integer(configuration.maxSeries), "room": .integer(seriesRoom)])
    }
    budget.limit = min(configuration.maxSeries, seriesRoom)
    budget.limitPerMetric = configuration.maxSeriesPerMetric ?? budget.limit
    for (box, wakeUp) in zip(share.newSettings, wakeUps) {
      box.put(configuration.workerSettings)
      wakeUp.signal()
    }
    share.agent.replace(QuerySettings(configuration, tokens, workers: workers))
  }
}
