import Platform

@testable import Storage

/// A folder in memory whose calls fail where they are told to, and that knows what a power cut would leave.
///
/// One thread's at a time. A file's name and its bytes are durable only once they have been synchronised, each for itself.
final class FaultyFiles: JournalFiles, @unchecked Sendable {
  /// What happens to a call. Of calls that do not write, those that concern bytes mean a crash before the call.
  enum Fault: Hashable, Sendable {
    case failure(Int32)
    /// A write takes so many bytes only.
    case short(Int)
    /// A write takes so many bytes, and then nothing answers any more.
    case crash(after: Int)
  }

  final class Node {
    var bytes: [UInt8] = []
    var durable: [UInt8] = []
  }

  /// Calls so far; the first is 0.
  private(set) var calls = 0
  /// Bytes that each call of a write was given, by call.
  private(set) var writes: [Int: Int] = [:]
  private(set) var isDead = false
  var faults: [Int: Fault] = [:]
  /// What every call that writes fails with.
  var standing: Int32?
  private var nodes: [String: Node] = [:]
  private var durable: [String: Node] = [:]

  /// What is left of `other` after the program was killed, or after the power was cut.
  convenience init(after other: FaultyFiles, powerCut: Bool) {
    self.init(files: (powerCut ? other.durable : other.nodes).mapValues { powerCut ? $0.durable : $0.bytes })
  }

  init(files: [String: [UInt8]] = [:]) {
    for (name, bytes) in files {
      let node = Node()
      (node.bytes, node.durable) = (bytes, bytes)
      nodes[name] = node
      durable[name] = node
    }
  }

  /// The files as they are now.
  var contents: [String: [UInt8]] { nodes.mapValues(\.bytes) }

  /// Counts a call, and lets it fail if it is to.
  /// - Returns: how many bytes a write may take, and whether it dies then.
  @discardableResult
  private func enter(writing count: Int? = nil) throws(SystemError) -> (bytes: Int, dies: Bool) {
    if isDead { throw SystemError("dead", "", number: SystemError.inputOutput) }
    if let standing, count != nil { throw SystemError("pwrite", "", number: standing) }
    defer { calls += 1 }
    if let count { writes[calls] = count }
    switch faults[calls] {
    case .failure(let number): throw SystemError("call", "\(calls)", number: number)
    case .short(let bytes): return (min(bytes, count ?? 0), false)
    case .crash(let bytes):
      if let count { return (min(bytes, count), true) }
      isDead = true
      throw SystemError("dead", "", number: SystemError.inputOutput)
    case nil: return (count ?? 0, false)
    }
  }

  private func node(_ name: String) throws(SystemError) -> Node {
    guard let node = nodes[name] else { throw SystemError("open", name, number: SystemError.noEntry) }
    return node
  }

  func names() throws(SystemError) -> [String] {
    try enter()
    return Array(nodes.keys)
  }

  func create(_ name: String) throws(SystemError) -> any JournalFile {
    try enter()
    if nodes[name] != nil { throw SystemError("open", name, number: SystemError.exists) }
    let node = Node()
    nodes[name] = node
    return File(self, node)
  }

  func open(_ name: String, writable: Bool) throws(SystemError) -> any JournalFile {
    try enter()
    return File(self, try node(name))
  }

  func remove(_ name: String) throws(SystemError) {
    try enter()
    _ = try node(name)
    nodes[name] = nil
  }

  func rename(_ name: String, to other: String) throws(SystemError) {
    try enter()
    nodes[other] = try node(name)
    nodes[name] = nil
  }

  func synchronize() throws(SystemError) {
    try enter()
    durable = nodes
  }

  final class File: JournalFile, @unchecked Sendable {
    private let files: FaultyFiles
    private let node: Node

    init(_ files: FaultyFiles, _ node: Node) { (self.files, self.node) = (files, node) }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) -> Int {
      let (count, dies) = try files.enter(writing: bytes.count)
      let new = (0..<count).map { bytes[$0] }
      if node.bytes.count < offset { node.bytes += Array(repeating: 0, count: offset - node.bytes.count) }
      node.bytes.replaceSubrange(offset..<min(node.bytes.count, offset + count), with: new)
      if dies {
        files.isDead = true
        throw SystemError("dead", "", number: SystemError.inputOutput)
      }
      return count
    }

    func read(_ count: Int, at offset: Int, into bytes: inout [UInt8]) throws(SystemError) -> Int {
      try files.enter()
      let part = node.bytes.dropFirst(offset).prefix(count)
      bytes += part
      return part.count
    }

    func synchronize() throws(SystemError) {
      try files.enter()
      node.durable = node.bytes
    }

    func truncate(to size: Int) throws(SystemError) {
      try files.enter()
      node.bytes.removeLast(max(0, node.bytes.count - size))
    }

    func size() throws(SystemError) -> Int {
      try files.enter()
      return node.bytes.count
    }
  }
}
