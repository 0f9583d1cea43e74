/// Others' counts on top of this agent's history.
extension HistoryAmount {
  /// Adds what others have counted.
  package mutating func add(_ count: SharedNumber) {
    switch count {
    case .whole(let number): add(HistoryAmount(whole: number))
    case .real(let number): add(HistoryAmount(whole: 0, fraction: number))
    }
  }
}

extension HistoryPlot {
  /// Adds what others have counted in a minute or an hour, a step of the plot, that begins at `second`.
  package mutating func add(_ count: SharedNumber, at second: Int64) {
    var amount = HistoryAmount()
    amount.add(count)
    add(amount, at: second)
  }
}
