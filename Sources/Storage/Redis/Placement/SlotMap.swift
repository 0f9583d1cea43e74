/// Which node of a Cluster serves which slot, as one of them has told.
struct SlotMap: Equatable, Sendable {
  /// The masters, in no order.
  private(set) var nodes: [RedisURL.Place] = []
  /// By slot: an index of `nodes`, or `nobody`.
  private var owners = Array(repeating: nobody, count: KeyPlace.slots)

  private static let nobody = UInt16.max

  /// A map without any slot.
  init() {}

  /// The node that serves a slot; nil: none does.
  func node(of slot: Int) -> RedisURL.Place? {
    owners[slot] == Self.nobody ? nil : nodes[Int(owners[slot])]
  }

  /// Whether each slot is served.
  var isWhole: Bool { !owners.contains(Self.nobody) }

  /// Notes what a redirection told.
  mutating func move(_ slot: Int, to node: RedisURL.Place) { take(slot...slot, node) }

  private mutating func take(_ slots: ClosedRange<Int>, _ node: RedisURL.Place) {
    let index = nodes.firstIndex(of: node) ?? nodes.count
    if index == nodes.count {
      if nodes.count == Int(Self.nobody) { return }
      nodes.append(node)
    }
    for slot in slots { owners[slot] = UInt16(index) }
  }

  /// Reads the reply to CLUSTER SHARDS (since Redis 7).
  ///
  ///     [ { slots: [first, last, …], nodes: [ { ip, port, endpoint, role, health, … }, … ] }, … ]
  ///
  /// - Parameter asked: the host that answered: it stands for an endpoint that is empty or unknown.
  /// - Returns: nil if it is none.
  init?(shards reply: RESPValue, asked: String) {
    guard let shards = reply.elements else { return nil }
    for shard in shards {
      guard let numbers = shard.value(of: "slots")?.elements, let nodes = shard.value(of: "nodes")?.elements else {
        return nil
      }
      if numbers.isEmpty { continue }
      let masters = nodes.filter { $0.value(of: "role")?.string == "master" }
      // One that fails has its slots until another takes them over.
      guard let master = masters.first(where: { $0.value(of: "health")?.string == "online" }) ?? masters.first else {
        continue
      }
      let port = master.value(of: "port")?.integer
      guard let port = port.flatMap(UInt16.init(exactly:)), port > 0 else { return nil }
      var host = Self.known(master.value(of: "endpoint"))
      if host == nil, master.value(of: "endpoint")?.string == "?" { host = Self.known(master.value(of: "ip")) }
      guard take(numbers, .tcp(host: host ?? asked, port: port)) else { return nil }
    }
  }

  /// Reads the reply to CLUSTER SLOTS: `[ [first, last, [host, port, id, …], replica, …], … ]`.
  init?(slots reply: RESPValue, asked: String) {
    guard let ranges = reply.elements else { return nil }
    for range in ranges {
      guard let parts = range.elements, parts.count >= 3, let master = parts[2].elements, master.count >= 2,
        let port = master[1].integer.flatMap(UInt16.init(exactly:)), port > 0,
        take(Array(parts[..<2]), .tcp(host: Self.known(master[0]) ?? asked, port: port))
      else { return nil }
    }
  }

  /// Takes slots from the first to the last, as often as there are two numbers.
  private mutating func take(_ numbers: [RESPValue], _ node: RedisURL.Place) -> Bool {
    if numbers.count % 2 != 0 { return false }
    for index in stride(from: 0, to: numbers.count, by: 2) {
      guard let first = numbers[index].integer, let last = numbers[index + 1].integer,
        0 <= first, first <= last, last < KeyPlace.slots
      else { return false }
      take(Int(first)...Int(last), node)
    }
    return true
  }

  private static func known(_ host: RESPValue?) -> String? {
    guard let name = host?.string, !name.isEmpty, name != "?" else { return nil }
    return name
  }
}
