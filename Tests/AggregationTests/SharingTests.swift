import Protocol
import Testing

@testable import Aggregation

@Suite struct `sharing` {
  private let world = World()

  private func number(_ writes: [SharedWrite], _ key: SharedKey) -> SharedNumber? {
    for write in writes where write.key == key {
      if case .total(let total, _, _) = write.value { return total }
    }
    return nil
  }

  private func known(_ writes: [SharedWrite], _ key: SharedKey) -> SharedNumber? {
    for write in writes where write.key == key {
      if case .total(_, _, let known) = write.value { return known }
    }
    return nil
  }

  private func base(_ writes: [SharedWrite], _ key: SharedKey) -> SharedNumber? {
    for write in writes where write.key == key {
      if case .total(_, let base, _) = write.value { return base }
    }
    return nil
  }

  @Test func `nothing is noted while nobody shares, and then all there is`() {
    world.workers[0].count("visit:page1|c\ng:1|g\nt:1|ms\ns:x|s\n_sc|up|0\n_e{5,1}:login|x")
    world.gather()
    #expect(world.unshared == 0)
    world.view.shareChanges()
    // visit and its page, the event and its metric, the metrics of timer and set.
    #expect(world.waitingToShare == 6)
    let keys = Set(world.sharedWrites().map(\.key))
    #expect(keys.contains(.page("page1")) && keys.contains(.metric("visit")) && keys.contains(.metric("login", .event)))
    #expect(!keys.contains { $0.kind == .gauge || $0.kind == .serviceCheck })
    #expect(world.unshared == 0)
  }

  @Test func `what changes while it is under way waits again`() {
    world.view.shareChanges()
    world.workers[0].count("visit:page1|c")
    world.gather()
    guard let (owner, first) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    #expect(number(first, .page("page1")) == .whole(1))
    world.workers[0].count("visit:page1:4|c")
    world.gather()
    #expect(world.next(.page("page1")) == nil)
    world.view.markShared(owner)
    guard let (again, second) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    #expect(number(second, .page("page1")) == .whole(5))
    world.view.markShared(again)
    _ = world.sharedWrites()
    #expect(world.unshared == 0)
  }

  @Test func `what was not shared waits for its retry, changed or not`() {
    world.view.shareChanges()
    world.workers[0].count("visit:page1|c")
    world.gather()
    var owners: [SharedOwner] = []
    while let owner = world.view.nextToShare() {
      _ = world.view.writes(of: owner)
      owners.append(owner)
    }
    for owner in owners { world.view.markUnshared(owner) }
    world.workers[0].count("visit:page1|c")
    world.gather()
    #expect(world.waitingToShare == 0 && world.unshared == 2)
    world.view.retryUnshared()
    #expect(world.waitingToShare == 2)
    // Answers that come twice say nothing.
    for owner in owners { world.view.markShared(owner) }
    #expect(world.waitingToShare == 2)
    var store = HeldByStore()
    world.share(to: &store)
    #expect(store.total(.page("page1")) == .whole(2) && store.total(.metric("visit")) == .whole(2))
    #expect(store.counts[.metric("visit", .counter, .hours(day: 1_700_000_000 / 86_400))]?.values.first == .whole(2))
    #expect(world.unshared == 0)
  }

  @Test func `everything waits for a full pass, and one for a reset elsewhere`() {
    world.view.shareChanges()
    world.workers[0].count("visit:page1|c\nvisit:page2|c\nodd\\name:5|c|#a\\b:1\\,=|=x,c:\nt:1|ms\nplain:1|c")
    world.gather()
    _ = world.sharedWrites()
    world.view.shareAll()
    #expect(world.waitingToShare == 8)
    for write in world.sharedWrites() {
      guard case .total = write.value else { continue }
      world.view.share(write.key)
      #expect(world.waitingToShare == 1, "\(String(decoding: write.key.tag, as: UTF8.self))")
      #expect(world.sharedWrites().contains { $0.key == write.key })
    }
    for tag in [
      "", "|", "visit|page", "visit|page=page1,", "visit|page=page1=2", "visit|=", "visit\\", "nobody", "nobody|",
    ] {
      world.view.share(SharedKey(.counter, tag: Array(tag.utf8)))
    }
    #expect(world.waitingToShare == 0)
  }

  @Test func `a reset is told of the series and of its metric`() {
    world.view.shareChanges()
    world.workers[0].count("visit:page1:7|c\nvisit:page2:5|c")
    world.gather()
    _ = world.sharedWrites()
    guard let id = world.series["counter visit{page=page1}"] else { return #expect(Bool(false)) }
    world.view.reset(id)
    let writes = world.sharedWrites()
    #expect(base(writes, .page("page1")) == .whole(7) && base(writes, .metric("visit")) == .whole(7))
    #expect(number(writes, .metric("visit")) == .whole(12))
  }

  // MARK: Claims

  @Test func `the first writes of a run say what was known before it, later ones nothing`() {
    world.workers[0].count("visit:page1:7|c")
    world.gather()
    world.view.shareChanges()
    world.workers[0].count("visit:page1:2|c\nvisit:page2|c")
    world.gather()
    let first = world.sharedWrites()
    #expect(known(first, .page("page1")) == .whole(7) && known(first, .page("page2")) == .whole(0))
    #expect(known(first, .metric("visit")) == .whole(7) && number(first, .metric("visit")) == .whole(10))
    world.view.shareAll()
    let second = world.sharedWrites()
    #expect(second.allSatisfy { known([$0], $0.key) == nil })
  }

  @Test func `a total is raised by what the store has more, once, and its metric by its own`() {
    world.workers[0].count("visit:page1:7|c")
    world.gather()
    world.view.shareChanges()
    world.workers[0].count("visit:page1:2|c")
    world.gather()
    guard let (owner, _) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    world.view.raise(owner, .page("page2"), to: .whole(100), base: .zero)
    #expect(world["counter visit{page=page1}"]?.total.whole == 9)
    world.view.raise(owner, .page("page1"), to: .whole(20), base: .whole(3))
    world.view.raise(owner, .page("page1"), to: .whole(50), base: .whole(2))
    #expect(world["counter visit{page=page1}"]?.total.whole == 22)
    #expect(world.view.countSinceReset(world.series["counter visit{page=page1}"]!).whole == 19)
    #expect(world.count(of: "visit") == 9 && world.family("visit", .counter)?.total.whole == 9)
    world.view.markShared(owner)
    let writes = world.sharedWrites()
    #expect(number(writes, .page("page1")) == .whole(22) && known(writes, .page("page1")) == nil)
    #expect(base(writes, .page("page1")) == .whole(3))
    guard
      let (metric, _) = {
        world.view.shareAll(); return world.next(.metric("visit"))
      }()
    else { return #expect(Bool(false)) }
    world.view.markShared(metric)
    #expect(world.view.recent(ofFamily: 0, from: 0)?.count.whole == 9)
  }

  @Test func `what the store has from an earlier run is in a total before it is taken over`() {
    world.workers[0].count("visit:page1:7|c")
    world.gather()
    world.view.shareChanges()
    world.workers[0].count("visit:page1:2|c")
    world.gather()
    let id = world.series["counter visit{page=page1}"]!
    #expect(world.view.shared(id).total == .whole(9) && world.view.shared(id, earlier: .whole(6)).total == .whole(9))
    #expect(world.view.shared(id, earlier: .whole(20)).total == .whole(22))
    #expect(world.view.shared(family: 0, earlier: .whole(9)).total == .whole(11))
    guard let (owner, _) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    world.view.raise(owner, .page("page1"), to: .whole(20), base: .zero)
    #expect(world.view.shared(id, earlier: .whole(20)).total == .whole(22))
    #expect(world.view.countedHere(id) == .whole(9))
    // Nor is there anything to share of what is not there.
    let isShared = [SharedKey.page("page1"), .page("page2"), .metric("other")].map { world.view.share($0) }
    #expect(isShared == [true, false, false])
  }

  @Test func `a claim is made until it is answered`() {
    world.view.shareChanges()
    world.workers[0].count("visit:page1:5|c")
    world.gather()
    guard let (owner, _) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    world.view.markUnshared(owner)
    world.workers[0].count("visit:page1:4|c")
    world.gather()
    world.view.retryUnshared()
    guard let (again, writes) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    #expect(number(writes, .page("page1")) == .whole(9) && known(writes, .page("page1")) == .whole(0))
    world.view.markShared(again)
    #expect(world["counter visit{page=page1}"]?.total.whole == 9)
  }

  @Test func `a base that another agent has set is taken over if it is larger`() {
    world.view.shareChanges()
    world.workers[0].count("visit:page1:7|c\nvisit:page2:5|c")
    world.gather()
    guard let (owner, _) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    world.view.markShared(owner)
    _ = world.sharedWrites()
    world.view.rebase(owner, .page("page1"), base: .whole(6))
    world.view.rebase(owner, .page("page1"), base: .whole(4))
    world.view.rebase(owner, .page("page2"), base: .whole(40))
    #expect(world.count(of: "visit") == 6)
    let shared = world.view.shared(world.series["counter visit{page=page1}"]!)
    #expect(shared.total == .whole(7) && shared.base == .whole(6))
    let writes = world.sharedWrites()
    #expect(base(writes, .page("page1")) == .whole(6) && base(writes, .metric("visit")) == .whole(6))
    guard
      let (metric, _) = {
        world.view.shareAll(); return world.next(.metric("visit"))
      }()
    else { return #expect(Bool(false)) }
    world.view.rebase(metric, .metric("visit"), base: .whole(9))
    let all = world.view.shared(family: 0)
    #expect(all.total == .whole(12) && all.base == .whole(9))
  }

  @Test func `a raise lasts over a restart, and neither history nor the metric hears of it`() {
    world.gather(second: 1_000)
    world.view.keepChanges()
    world.view.shareChanges()
    world.workers[0].count("visit:page1:5|c")
    world.gather(second: 1_000)
    guard let (owner, _) = world.next(.page("page1")) else { return #expect(Bool(false)) }
    world.view.raise(owner, .page("page1"), to: .whole(20), base: .whole(8))
    let fresh = World()
    for payload in world.encodeBatch() { fresh.restore(payload.bytes, second: 1_000, wall: 1_700_001_000) }
    #expect(fresh.restoreTally.skipped == 0)
    #expect(fresh["counter visit{page=page1}"]?.total.whole == 25)
    #expect(fresh.view.countSinceReset(fresh.series["counter visit{page=page1}"]!).whole == 17)
    #expect(fresh.family("visit", .counter)?.total.whole == 5 && fresh.count(of: "visit") == 5)
    #expect(fresh.view.recent(of: 0, from: 0)?.count.whole == 5)
  }

  // MARK: Departure

  private func settle(_ world: World, second: Int64) {
    world.gather(second: second)
    for worker in world.workers { worker.pass() }
    world.gather(second: second)
    world.gather(second: second)
  }

  @Test func `a series and the last of a metric stay until others were told`() {
    let world = World(settings: .init(seriesTTL: 10, counterTTL: 10, quantileWindow: 60))
    world.view.shareChanges()
    world.workers[0].count("visit:page1|c\nt:1|ms\ng:1|g")
    world.gather(second: 0)
    settle(world, second: 100)
    #expect(world.seriesCount == 2)
    var owners: [SharedOwner] = []
    while let owner = world.view.nextToShare() { owners.append(owner) }
    settle(world, second: 200)
    #expect(world.seriesCount == 2)
    for owner in owners { world.view.markUnshared(owner) }
    settle(world, second: 300)
    #expect(world.seriesCount == 2)
    world.view.retryUnshared()
    var store = HeldByStore()
    world.share(to: &store)
    settle(world, second: 400)
    #expect(world.seriesCount == 0 && world.familyCount == 0)
    #expect(store.total(.page("page1")) == .whole(1))
    // Answers of what has left are none of who comes in its place.
    world.workers[0].count("other:9|c\nvisit:page2|c")
    world.gather(second: 401)
    for owner in owners {
      world.view.markShared(owner)
      #expect(world.view.writes(of: owner).isEmpty)
      world.view.raise(owner, .page("page2"), to: .whole(99), base: .zero)
    }
    #expect(world.waitingToShare == 4 && world.count(of: "visit") == 1)
  }

  @Test func `a series that people remove stays until others were told`() {
    world.view.shareChanges()
    world.workers[0].count("visit:page1|c")
    world.gather()
    world.view.dismiss(Set(world.series.values))
    settle(world, second: 1)
    #expect(world.seriesCount == 1)
    _ = world.sharedWrites()
    settle(world, second: 2)
    #expect(world.seriesCount == 0)
  }

  @Test func `what was marked after its verdict leaves once it is told`() {
    let world = World(tables: 2, settings: .init(seriesTTL: nil, counterTTL: 10, quantileWindow: 60))
    world.view.shareChanges()
    world.workers[0].count("visit:page1|c")
    world.gather(second: 0)
    _ = world.sharedWrites()
    world.gather(second: 100)
    #expect(world.hasCondemned)
    world.view.shareAll()
    for worker in world.workers { worker.pass() }
    world.gather(second: 101)
    world.gather(second: 102)
    #expect(world.seriesCount == 1)
    _ = world.sharedWrites()
    world.gather(second: 103)
    #expect(world.seriesCount == 0)
  }

  // MARK: Memory

  @Test func `ten thousand series take some bytes each, and none without sharing`() {
    let world = World(capacity: 11_000, limit: 11_000)
    world.workers[0].count((0..<10_000).map { "visit:p\($0)|c\n" }.joined())
    world.gather()
    func bytes() -> Int { world.view.memory.first { "\($0.part)" == "sharing" }?.bytes ?? -1 }
    #expect(bytes() == 0)
    let before = world.view.memoryBytes
    world.view.shareChanges()
    #expect(world.waitingToShare == 10_001)
    #expect(bytes() <= 140_000 && world.view.memoryBytes - before == bytes())
    world.view.shareAll()
    var owners = 0
    while let owner = world.view.nextToShare() {
      owners += world.view.writes(of: owner).isEmpty ? 0 : 1
      world.view.markUnshared(owner)
    }
    #expect(owners == 10_001 && world.waitingToShare == 0)
    world.view.retryUnshared()
    #expect(world.waitingToShare == 10_001)
  }
}
