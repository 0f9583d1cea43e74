@testable import Aggregation

/// What Redis keeps as a string is a HyperLogLog whose registers can be read, joined and written again, or none.
///
/// An input is that string, behind one byte: if its lowest bit is set, what follows are registers of the dense form, again and again up to
/// its end, which no input is long enough for.
func checkMembers(_ input: [UInt8]) throws(Broken) {
  guard let first = input.first else { return }
  var bytes = Array(input.dropFirst())
  if first & 1 == 1 && !bytes.isEmpty {
    let registers = HyperLogLog.denseBytes - HyperLogLog.headerBytes
    bytes = HyperLogLog.header(encoding: 0) + (0..<registers).map { bytes[$0 % bytes.count] }
  }
  var ranks = HyperLogLog.Ranks()
  guard let log = HyperLogLog(redis: bytes) else {
    let merges = ranks.merge(redis: bytes)
    try hold(merges == bytes.isEmpty && ranks.cardinality == 0, "what is no HyperLogLog has members")
    return
  }
  try hold(ranks.merge(redis: bytes), "a HyperLogLog is none")
  let registers = raised(ranks)
  try hold(registers.allSatisfy { 1...51 ~= $0.value }, "a rank that no hash gives")
  try hold(ranks.cardinality == log.cardinality, "\(ranks.cardinality) members, and \(log.cardinality)")
  let again = ranks.merge(redis: bytes)
  try hold(again && raised(ranks) == registers, "members that are there already change something")
  let written = HyperLogLog(ranks)
  guard let read = HyperLogLog(redis: written.bytes) else { throw Broken(description: "what was written is not read") }
  var others = HyperLogLog.Ranks()
  others.merge(read)
  try hold(raised(others) == registers, "what was written and read is another")
}

/// Registers with a rank above 0.
private func raised(_ ranks: HyperLogLog.Ranks) -> [Int: UInt8] {
  var raised: [Int: UInt8] = [:]
  ranks.forEach { raised[$0] = $1 }
  return raised
}
