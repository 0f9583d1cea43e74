import Aggregation
import Bytes
import Protocol

/// `POST /lines`: a batch of lines, as a datagram or a stream would bring them; the answer says which were refused, and why.
///
/// A slice of the body is counted in each turn of the loop, so that others are answered in between.
final class LinesWork {
  static let route = Route(.post, "/lines", "Count a batch of lines", bodyLimit: 8 << 20) { state, call in
    let work = LinesWork(state, call)
    return .work { work.step().map { .ready($0) } }
  }

  /// Bytes of a slice, but for a line that is longer: about a millisecond where most lines are of series never seen.
  private static let slice = 32_768
  /// Refused lines that the answer names.
  private static let shown = 100

  private let state: QueryState
  private let call: Route.Call
  private var place = 0
  /// Lines that stand before `place`.
  private var lines = 0
  private var accepted: UInt64 = 0
  private var refusedTotal = 0
  private var refused: [(line: Int, fault: LineFault)] = []

  private init(_ state: QueryState, _ call: Route.Call) {
    self.state = state
    self.call = call
  }

  private func step() -> Response? {
    let body = call.request.body
    if place < body.count {
      let end = endOfSlice(body)
      count(body[place..<end])
      place = end
    }
    if place < body.count { return nil }
    return .json(
      JSONWriter.object { json in
        json.member("accepted", accepted)
        json.key("refused")
        json.array { json in
          for one in refused {
            json.object { json in
              json.member("line", one.line)
              json.member("error", one.fault.reason.label)
              json.member("at", one.fault.offset)
            }
          }
        }
        json.member("refused_total", refusedTotal)
      })
  }

  /// Behind the last LF of the slice, or the first one after it.
  private func endOfSlice(_ body: [UInt8]) -> Int {
    let limit = place + Self.slice
    if limit >= body.count { return body.count }
    if let last = body[place..<limit].lastIndex(of: .lineFeed) { return last + 1 }
    return body[limit...].firstIndex(of: .lineFeed).map { $0 + 1 } ?? body.count
  }

  private func count(_ bytes: ArraySlice<UInt8>) {
    state.table.refusedLines = []
    // Kept until the batch has ended, since the table puts some lines off until then.
    let text = PaddedText(bytes)
    text.read { bytes in
      state.count { table in
        table.tally.bytes = UInt64(bytes.count)
        table.count(bytes, from: call.client)
      }
    }
    accepted += state.table.tally.accepted
    let found = (state.table.refusedLines ?? []).sorted { $0.start < $1.start }
    state.table.refusedLines = nil
    note(found, bytes)
  }

  private func note(_ found: [RefusedPlace], _ bytes: ArraySlice<UInt8>) {
    refusedTotal += found.count
    var at = bytes.startIndex
    for one in found where refused.count < Self.shown {
      let start = bytes.startIndex + one.start
      lines += bytes[at..<start].count { $0 == .lineFeed }
      at = start
      refused.append((lines + 1, one.fault))
    }
    if refused.count < Self.shown { lines += bytes[at...].count { $0 == .lineFeed } }
  }
}
