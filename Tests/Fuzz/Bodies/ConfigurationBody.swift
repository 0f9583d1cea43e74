@testable import Agent

/// A file is a configuration or a list of faults, each of them in one of its lines and fit for a terminal.
func checkConfiguration(_ bytes: [UInt8]) throws(Broken) {
  let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).count
  let invocation: Result<Invocation, Options.Faults> = Result { () throws(Options.Faults) in
    try Options.invocation(arguments: ["--config", "f"], environment: [:]) { _ in bytes }
  }
  switch invocation {
  case .success(.serve(let configuration)):
    try hold(configuration.file == "f", "the file is forgotten")
    try hold(configuration.quantiles.allSatisfy { 0...1 ~= $0 }, "a quantile is beyond 1")
    try hold(
      zip(configuration.buckets, configuration.buckets.dropFirst()).allSatisfy { $0 < $1 }, "buckets do not rise")
  case .success: throw Broken(description: "a file is no command")
  case .failure(let faults): try checkFaults(faults, of: lines)
  }
}

private func checkFaults(_ faults: Options.Faults, of lines: Int) throws(Broken) {
  try hold(!faults.list.isEmpty && faults.exitStatus == 78, "a refusal without a fault, or with another's status")
  for fault in faults.list {
    guard case .file("f", let line) = fault.origin, 1...lines ~= line else {
      throw Broken(description: "a fault of the file is laid to \(fault.origin)")
    }
    try hold(
      fault.description.unicodeScalars.allSatisfy { !(0..<0x20 ~= $0.value || 0x7F..<0xA0 ~= $0.value) },
      "a fault shows control characters")
  }
}
