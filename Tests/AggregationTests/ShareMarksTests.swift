import Randomness
import Testing

@testable import Aggregation

@Suite struct `marks of what is to be told` {
  private enum State { case clean, waiting, underWay, changed, parked }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `follow a model of states and of the order of turns`(_ seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    var marks = try ShareMarks(capacity: 50)
    var states = [State](repeating: .clean, count: 50)
    var waiting: [Int] = []
    var parked: [Int] = []
    for _ in 0..<20_000 {
      let id = random.below(50)
      switch random.below(5) {
      case 0, 1:
        marks.mark(id)
        if states[id] == .clean {
          states[id] = .waiting
          waiting.append(id)
        } else if states[id] == .underWay {
          states[id] = .changed
        }
      case 2:
        let next = marks.next()
        #expect(next == waiting.first)
        if let next {
          waiting.removeFirst()
          states[next] = .underWay
        }
      case 3 where states[id] == .underWay || states[id] == .changed:
        if random.below(3) == 0 {
          marks.park(id)
          states[id] = .parked
          parked.append(id)
        } else {
          marks.settle(id)
          if states[id] == .changed { waiting.append(id) }
          states[id] = states[id] == .changed ? .waiting : .clean
        }
      case 4 where random.below(20) == 0:
        marks.retry()
        for id in parked { states[id] = .waiting }
        waiting += parked
        parked = []
      default: break
      }
      #expect(marks.waitingCount == waiting.count)
      #expect(marks.uncleanCount == states.count { $0 != .clean })
      #expect(marks.isUnclean(id) == (states[id] != .clean))
      #expect(marks.isUnderWay(id) == (states[id] == .underWay || states[id] == .changed))
    }
  }
}
