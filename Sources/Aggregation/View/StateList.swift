/// What the view keeps of a series beyond a few words.
protocol SeriesState: Sendable {
  /// Bytes of memory beyond the value itself.
  var byteCount: Int { get }
}

/// States of one sort, found by number; numbers of those that left are used again.
struct StateList<State: SeriesState> {
  private var states: [State] = []
  private var free: [Int] = []
  /// What `byteCount` of all states adds up to: kept, since there may be a million of them.
  private var bytesElsewhere = 0

  /// Bytes of all states, with what they have elsewhere.
  var byteCount: Int { states.capacity * MemoryLayout<State>.stride + bytesElsewhere }

  subscript(number: Int) -> State { states[number] }

  mutating func add(_ state: State) -> Int {
    bytesElsewhere += state.byteCount
    if let number = free.popLast() {
      states[number] = state
      return number
    }
    states.append(state)
    return states.count - 1
  }

  mutating func remove(_ number: Int, leaving empty: State) {
    bytesElsewhere += empty.byteCount - states[number].byteCount
    states[number] = empty
    free.append(number)
  }

  mutating func modify<Result>(_ number: Int, _ body: (inout State) -> Result) -> Result {
    let before = states[number].byteCount
    defer { bytesElsewhere += states[number].byteCount - before }
    return body(&states[number])
  }
}
