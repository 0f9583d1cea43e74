import Glibc
import Platform

extension Scenario {
  /// From fork to the first 200 of `/ready`.
  static let start = Scenario("start", "from fork to the first 200 of /ready; FOOTFALL names another build") { run in
    var times: [Double] = []
    var cpu: [Double] = []
    for _ in 0..<run.effort.rounds {
      let port = try ClientSocket.freePort()
      let words = [
        AgentProcess.program, "serve", "--udp", "127.0.0.1:0", "--tcp", "none", "--http", "127.0.0.1:\(port)",
      ]
      let http = HTTPClient(port: port)
      let begin = Clock.monotonic()
      let child = try Child(words, reading: .error)
      while (try? http.get("/ready"))?.status != 200 {
        if Clock.monotonic() - begin > 10_000_000_000 { throw SystemError("start", words[0], number: ETIMEDOUT) }
        Clock.sleep(nanoseconds: 20_000)
      }
      times.append(Double(Clock.monotonic() - begin) / 1e6)
      cpu.append(Double(ProcessReading(pid: child.pid).cpu()) / 1e6)
      child.end()
    }
    run.report("start to /ready", "ms", times, .atMost(5))
    run.report("start to /ready: CPU", "ms", cpu)
    let size = Double(try File.size(AgentProcess.program))
    run.report("size of the program", "MB", [size / 1e6], .atMost(15))
  }
}
