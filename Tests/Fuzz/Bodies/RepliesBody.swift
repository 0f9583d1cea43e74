@testable import Storage

/// The same replies come out however the stream is cut, and no more is kept than a reply may hold.
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
}

private func replies(
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
