import HTTPQuery
import Platform
import Synchronization

/// SIGHUP: reads the configuration again and says what came of it.
///
/// Most options shape sockets, tables or threads, which a running program keeps; so a sound configuration that differs is named, and
/// takes effect with the next start. The tokens take effect at once.
enum Reload {
  static func check(
    against running: Configuration, environment: [String: String], _ state: AgentState, _ log: Log
  ) {
    do throws(Options.Faults) {
      let invocation = try Options.invocation(
        arguments: Array(CommandLine.arguments.dropFirst()), environment: environment, read: Footfall.readConfiguration)
      guard case .serve(let configuration) = invocation else { return }
      guard replaceTokens(running, state, log) else { return }
      state.soundReloads.wrappingAdd(1, ordering: .relaxed)
      if configuration == running {
        log.info("reload: the configuration is the same")
      } else {
        log.warning("reload: the configuration has changed, and takes effect with a restart")
      }
    } catch {
      state.faultyReloads.wrappingAdd(1, ordering: .relaxed)
      for fault in error.list { log.error("reload: the old configuration stays", ["fault": .text(fault.description)]) }
    }
  }

  /// Reads the token file again and hands on what it holds now.
  /// - Returns: false if it does not hold; the old tokens stay, and that is logged and counted.
  static func replaceTokens(_ configuration: Configuration, _ state: AgentState, _ log: Log) -> Bool {
    do throws(TokenFile.Fault) {
      let tokens = try TokenFile.read(configuration)
      TokenFile.warnIfOpen(configuration, log)
      state.replace(QuerySettings(configuration, tokens))
      return true
    } catch {
      state.faultyReloads.wrappingAdd(1, ordering: .relaxed)
      log.error("reload: the old configuration stays", ["fault": .text(error.description)])
      return false
    }
  }
}
