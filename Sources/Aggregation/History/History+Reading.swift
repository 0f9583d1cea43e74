/// What history answers.
extension History {
  /// What was counted since `start`, a second since 1970 at which a bucket of the window begins; nil if there is no history.
  ///
  /// What lies ahead of the clock belongs to it: it was counted after `start` by any clock.
  /// - Complexity: O(points since `start` + runs): some microseconds for a day of minutes.
  func amount(of owner: Owner, from start: Int64) -> HistoryAmount? {
    guard let entry = entry(of: owner) else { return nil }
    var total = HistoryAmount()
    forEachPoint(of: entry, from: start) { _, amount in total.add(amount) }
    return total
  }

  /// Calls `body` with each point's first second and what it holds, those that begin at `start` or later; in no order.
  func forEachPoint(of entry: HistoryEntry, from start: Int64, _ body: (Int64, HistoryAmount) -> Void) {
    let isTimer = entry.isTimer
    for track in Track.allCases {
      let last = entry[track]
      if last == 0 { continue }
      let step = Int64(track.step)
      var at = last
      repeat {
        at = run(at).next
        let run = run(at)
        if Int64(run.last) * step < start { continue }
        run.forEach(isTimer: isTimer) { point in
          let second = Int64(point.bucket) * step
          if second >= start { body(second, point.amount) }
        }
      } while at != last
    }
    if entry.openSecond != 0 && Int64(entry.openSecond) >= start { body(Int64(entry.openSecond), entry.open) }
  }

  /// Adds a timer's samples since `start` to `sketch`.
  func addSketch(of owner: Owner, from start: Int64, to sketch: inout Sketch) {
    guard let entry = entry(of: owner), entry.isTimer else { return }
    forEachBlob(of: entry, from: start) { _, bytes in sketch.merge(Sketch(bytes: bytes)) }
  }

  /// Adds a set's members since `start` to `members`.
  func addMembers(of owner: Owner, from start: Int64, to members: inout HyperLogLog.Ranks) {
    guard let entry = entry(of: owner), !entry.isTimer else { return }
    forEachBlob(of: entry, from: start) { _, bytes in
      HyperLogLog.Members.forEach(bytes) { members.raise($0, to: $1) }
    }
  }
}

/// A history to plot: what was counted in each of many equal steps, the last one up to now.
package struct HistoryPlot: Sendable {
  /// Seconds since 1970 at which the first step begins.
  package let start: Int64
  /// Seconds of a step: 1, 60 or 3,600.
  package let step: Int64
  /// By step, the first at `start`.
  package internal(set) var amounts: [HistoryAmount]

  /// - Parameters:
  ///   - start: where a window begins (`HistorySpan`).
  ///   - wall: now, in seconds since 1970.
  ///   - finestStep: no step is shorter.
  package init(from start: Int64, to wall: Int64, finestStep: Int64 = 1) {
    let seconds = wall - start
    // A window begins with a minute, so it may be longer than the seconds that are kept.
    let finest: Int64 = seconds <= HistorySpan.seconds ? 1 : seconds < (HistorySpan.minutes + 1) * 60 ? 60 : 3_600
    self.start = start
    step = max(finest, finestStep)
    let count = min(max(1, seconds / step + 1), HistorySpan.minutes + 2)
    amounts = Array(repeating: HistoryAmount(), count: Int(count))
  }

  /// What lies ahead of the clock is in the last step, so that the steps add up to the window's amount.
  mutating func add(_ amount: HistoryAmount, at second: Int64) {
    let place = min(max(0, Int((second - start) / step)), amounts.count - 1)
    amounts[place].add(amount)
  }
}

/// A timer's samples or a set's members to plot: what came in each of many equal steps, minutes within the last hour, hours beyond.
package struct HistoryBlobPlot<Step>: Sendable where Step: Sendable {
  package let start: Int64
  package let step: Int64
  /// By step; nil where nothing came.
  package internal(set) var steps: [Step?]

  /// - Parameters:
  ///   - start: where a window for sketches begins (`HistorySpan`).
  ///   - wall: now, in seconds since 1970.
  package init(from start: Int64, to wall: Int64) {
    self.start = start
    let seconds = wall - start
    // A window of an hour begins with a minute, and is up to a minute longer.
    step = seconds < (HistorySpan.blobMinutes + 1) * 60 ? 60 : 3_600
    steps = Array(repeating: nil, count: Int(min(max(1, seconds / step + 1), HistorySpan.hours + 2)))
  }

  fileprivate func place(of second: Int64) -> Int { min(max(0, Int((second - start) / step)), steps.count - 1) }
}

extension HistoryBlobPlot where Step == Sketch {
  /// All samples.
  package var all: Sketch { steps.reduce(into: Sketch()) { if let step = $1 { $0.merge(step) } } }
}

extension HistoryBlobPlot where Step == HyperLogLog.Ranks {
  /// All members.
  package var all: HyperLogLog.Ranks { steps.reduce(into: .init()) { if let step = $1 { $0.merge(step) } } }
}

extension History {
  func add(_ owner: Owner, to plot: inout HistoryBlobPlot<Sketch>) {
    guard let entry = entry(of: owner), entry.isTimer else { return }
    forEachBlob(of: entry, from: plot.start) { second, bytes in
      let place = plot.place(of: second)
      if plot.steps[place] == nil {
        plot.steps[place] = Sketch(bytes: bytes)
      } else {
        plot.steps[place]?.merge(Sketch(bytes: bytes))
      }
    }
  }

  func add(_ owner: Owner, to plot: inout HistoryBlobPlot<HyperLogLog.Ranks>) {
    guard let entry = entry(of: owner), !entry.isTimer else { return }
    forEachBlob(of: entry, from: plot.start) { second, bytes in
      let place = plot.place(of: second)
      var ranks = plot.steps[place].take() ?? .init()
      HyperLogLog.Members.forEach(bytes) { ranks.raise($0, to: $1) }
      plot.steps[place] = ranks
    }
  }
}
