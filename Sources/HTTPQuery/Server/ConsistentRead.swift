/// Lets nothing be taken over from the workers, and keeps everything in its place, for as long as somebody adds up: what one answer says
/// is of one moment, however many slices it takes.
///
/// A request that reads counts begins only after a gather that began after it came, so reads cannot follow each other without one.
final class ConsistentRead {
  private let state: QueryState
  private let pin: ViewPin

  init(_ state: QueryState) {
    self.state = state
    pin = ViewPin(state)
    state.readers += 1
  }

  deinit { state.readers -= 1 }
}
