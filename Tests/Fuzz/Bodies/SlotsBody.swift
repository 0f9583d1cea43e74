@testable import Storage

/// A Cluster's map is the same in either version of the protocol, and names nodes that can be connected to; a redirection changes one slot.
///
/// An input is a reply.
func checkSlots(_ bytes: [UInt8]) throws(Broken) {
  var limits = RESPLimits()
  // Each pair of numbers may stand for all slots.
  limits.elements = 100
  guard let reply = try replies([bytes[...]], limits).values.first else { return }
  let older = withoutMaps(reply)
  let maps = [
    (SlotMap(shards: reply, asked: "asked"), SlotMap(shards: older, asked: "asked")),
    (SlotMap(slots: reply, asked: "asked"), SlotMap(slots: older, asked: "asked")),
  ]
  for (map, other) in maps {
    // Of the older version a map is read where an array belongs, which no server sends.
    guard var map else { continue }
    try hold(map == other, "the versions of the protocol differ")
    try hold(Set(map.nodes).count == map.nodes.count, "a node is there twice")
    for node in map.nodes { try checkPlace(node) }
    let isWhole = (0..<KeyPlace.slots).allSatisfy { map.node(of: $0) != nil }
    try hold(map.isWhole == isWhole, "the map says wrongly whether it is whole")
    let before = map
    let (slot, node) = (bytes.count % KeyPlace.slots, RedisURL.Place.tcp(host: "new", port: 1))
    map.move(slot, to: node)
    try hold(map.node(of: slot) == node, "a slot did not move")
    let next = (slot + 1) % KeyPlace.slots
    try hold(map.node(of: next) == before.node(of: next), "another slot moved too")
  }
}

/// An error leads to a slot and a node that there can be, and a redirection is read back from what it says.
func checkRedirections(_ bytes: [UInt8]) throws(Broken) {
  let redirection = Redirection(String(decoding: bytes, as: UTF8.self), asked: "asked")
  switch redirection {
  case .moved(let slot, let place):
    try hold(0..<KeyPlace.slots ~= slot, "slot \(slot)")
    try hold(
      Redirection("MOVED \(slot) \(try checkPlace(place))", asked: "asked") == redirection, "\(redirection) is another")
  case .ask(let place):
    try hold(Redirection("ASK 0 \(try checkPlace(place))", asked: "asked") == redirection, "\(redirection) is another")
  case .later, .unknownScript, .refused: break
  }
}

/// A node can be connected to.
/// - Returns: `host:port`, as Redis writes it.
@discardableResult
func checkPlace(_ place: RedisURL.Place) throws(Broken) -> String {
  guard case .tcp(let host, let port) = place else { throw Broken(description: "\(place) is no node's") }
  try hold(!host.isEmpty && port > 0, "nobody can connect to \(place)")
  return "\(host):\(port)"
}

/// The same in the second version of the protocol, as far as it has it.
private func withoutMaps(_ value: RESPValue) -> RESPValue {
  switch value {
  case .map(let values), .array(let values): .array(values.map(withoutMaps))
  default: value
  }
}
