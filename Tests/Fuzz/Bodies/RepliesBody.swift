@testable import Storage

/// The same replies come out however the stream is cut, and no more is kept than a reply may hold; what one is read as keeps its bounds.
func checkReplies(_ input: [UInt8]) throws(Broken) {
  guard let stream = CutStream(input) else { return }
  // Small enough that the inputs reach them.
  var limits = RESPLimits()
  limits.line = 1_000
  limits.bulk = 20_000
  limits.reply = 100_000
  limits.elements = 5_000
  let whole = try replies([stream.bytes[...]], limits)
  let cut = try replies(stream.pieces, limits)
  try hold(whole.fault == cut.fault, "whole and cut end in different faults")
  try hold(whole.values.count == cut.values.count, "whole and cut differ: \(whole.values.count), \(cut.values.count)")
  // NaN differs from itself.
  try hold("\(whole.values)" == "\(cut.values)", "whole and cut replies differ")
  for value in whole.values {
    try hold(depth(of: value) <= limits.depth, "a reply of \(depth(of: value)) levels")
    try hold(size(of: value) <= limits.elements, "a reply of \(size(of: value)) values")
  }
}

/// All replies of a stream, and why it cannot be read on.
func replies(
  _ pieces: [ArraySlice<UInt8>], _ limits: RESPLimits
) throws(Broken) -> (values: [RESPValue], fault: RESPFault?) {
  var decoder = RESPDecoder(limits)
  var values: [RESPValue] = []
  for piece in pieces {
    decoder.feed(piece)
    do throws(RESPFault) {
      while let value = try decoder.next() { values.append(value) }
    } catch { return (values, error) }
    try hold(decoder.heldBytes <= limits.bulk + 2, "\(decoder.heldBytes) bytes are kept")
  }
  return (values, nil)
}

private func parts(of value: RESPValue) -> [RESPValue] {
  switch value {
  case .array(let values), .map(let values), .set(let values), .push(let values): values
  default: []
  }
}

private func depth(of value: RESPValue) -> Int {
  let parts = parts(of: value)
  return parts.isEmpty ? 0 : 1 + (parts.map(depth).max() ?? 0)
}

private func size(of value: RESPValue) -> Int { parts(of: value).reduce(1) { $0 + size(of: $1) } }
