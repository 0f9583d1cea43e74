/// How history gives memory back.
///
///     before   | a | – | b | c | – | d |      end of the new budget: ▲
///     after    | a | d | b | c |       ▲      what lay beyond lies in the gaps, and the pages go back
///
/// A slot that was used stays with the process until its page is given back, and which slots are free is a matter of chance. So those in
/// use beyond the new end move to free ones below it. Every slot belongs to an entry, and every entry stands in one of two lists.
extension History {
  /// Sets the budget; it takes effect as history grows, and nothing gives way at once.
  /// - Parameter bytes: no more than it was made with has an effect.
  mutating func allow(bytes: Int) { arena.limit = bytes }

  /// Sets the budget, lets those counted longest ago give way to it, and gives the memory beyond it back.
  /// - Complexity: O(slots in use and free), some 30 ns each.
  mutating func shrink(to bytes: Int) {
    arena.limit = bytes
    inHand = 0
    let end = arena.end
    while arena.used >= Int(end) - 1, let victim {
      evictions += 1
      free(entry(victim))
    }
    arena.forgetFree(from: end)
    for list in 0...1 {
      var number = newest[list]
      while number != 0 {
        let moved = moveEntry(number, below: end)
        number = entry(moved).older
      }
    }
    arena.discard(from: end)
  }

  private mutating func moveEntry(_ number: UInt32, below end: UInt32) -> UInt32 {
    let entry = entry(number)
    for track in HistoryEntry.Track.allCases { entry[track] = moveRing(entry[track], below: end) }
    for track in HistoryBlob.Track.allCases {
      let last = moveRing(entry[blobs: track], below: end)
      entry[blobs: track] = last
      if last == 0 { continue }
      var at = last
      repeat {
        at = blob(at).next
        moveTail(of: at, below: end)
      } while at != last
    }
    if number < end { return number }
    let moved = self.entry(arena.move(number))
    let list = moved.isFamily ? 0 : 1
    if moved.newer == 0 { newest[list] = moved.number } else { self.entry(moved.newer).older = moved.number }
    if moved.older == 0 { oldest[list] = moved.number } else { self.entry(moved.older).newer = moved.number }
    if moved.isFamily { families[Int(moved.owner)] = moved.number } else { series[Int(moved.owner)] = moved.number }
    return moved.number
  }

  /// - Returns: the number of what was `last`.
  private mutating func moveRing(_ last: UInt32, below end: UInt32) -> UInt32 {
    if last == 0 { return 0 }
    var before = last
    var at = arena[last].link
    while at != last {
      let next = arena[at].link
      if at >= end {
        at = arena.move(at)
        arena[before].link = at
      }
      before = at
      at = next
    }
    if last < end { return last }
    let moved = arena.move(last)
    // Alone, it led to itself.
    if before == last { arena[moved].link = moved } else { arena[before].link = moved }
    return moved
  }

  /// Moves the further slots of a blob, which end with 0.
  private mutating func moveTail(of number: UInt32, below end: UInt32) {
    var before: UInt32 = 0
    var at = blob(number).more
    while at != 0 {
      if at >= end {
        at = arena.move(at)
        if before == 0 { blob(number).more = at } else { arena[before].link = at }
      }
      before = at
      at = arena[at].link
    }
  }
}
