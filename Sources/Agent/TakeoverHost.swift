import Platform

/// The one that is taken over from.
struct TakeoverHost {
  private let path: String
  /// Who connects here asks to take over.
  let listener: Descriptor

  /// Listens in the state directory, which this process holds.
  init(in stateDirectory: String) throws(SystemError) {
    path = "\(stateDirectory)/\(Takeover.socketName)"
    listener = try MessageConnection.listener(at: path)
  }

  /// Nobody shall ask any more. To be called while the state directory is still held: afterwards the path is another's.
  func close() { File.remove(path) }

  /// A talk that has come to the point of no return.
  struct Agreement {
    fileprivate let connection: MessageConnection
    /// Names of the books whose sockets the other goes on with.
    let kept: Set<String>

    /// The last word: books and journal are closed.
    func conclude(drops: [UInt64: UInt32]) throws(Takeover.Fault) {
      var notes = HandoverNotes()
      notes.drops = drops
      let file = try Takeover.file(notes)
      do throws(SystemError) { try connection.send("yours", [file.descriptor]) } catch { throw .system(error) }
    }
  }

  /// Talks with who has connected.
  /// - Parameters:
  ///   - pause: lets the workers pause and gives out their streams; `kept` names the books whose sockets the other goes on with.
  ///   - resume: takes it back, streams included.
  ///   - meanwhile: called some ten times a second while the other is waited for.
  /// - Returns: nil if it came to nothing, and all is as before.
  func talk(
    _ listeners: Listeners, _ log: Log, pause: (_ kept: Set<String>) -> [HandedStream],
    resume: ([HandedStream]) -> Void, meanwhile: () -> Void
  ) -> Agreement? {
    do throws(Takeover.Fault) {
      let connection: MessageConnection
      do throws(SystemError) { connection = try MessageConnection.accept(listener) } catch { throw .system(error) }
      guard connection.isOfOneUser else {
        log.warning("takeover: asked by another user", ["process": .integer(connection.peerProcess)])
        return nil
      }
      _ = try Takeover.receive(Takeover.greeting, from: connection, meanwhile: meanwhile)
      log.info("handing over", ["process": .integer(connection.peerProcess)])
      let offer = Self.offer(listeners)
      try Takeover.send("sockets", offer.map { (name: $0.name, descriptor: $0.descriptor) }, to: connection)
      let answer = try Takeover.receive("receiving", from: connection, meanwhile: meanwhile).rest
      let wanted = Set(answer.split(separator: " ").compactMap { Int($0) })
      let left = Set(offer.indices.filter { !wanted.contains($0) }.map { offer[$0].listener })
      let kept = Set(offer.map(\.listener)).subtracting(left)
      let streams = pause(kept)
      do throws(Takeover.Fault) {
        try Self.send(streams, to: connection)
        _ = try Takeover.receive("taken", from: connection, meanwhile: meanwhile)
      } catch {
        resume(streams)
        throw error
      }
      return Agreement(connection: connection, kept: kept)
    } catch {
      log.warning("takeover came to nothing, all goes on: \(error)")
      return nil
    }
  }

  private static func offer(_ listeners: Listeners) -> [(listener: String, name: String, descriptor: Descriptor)] {
    listeners.sockets.flatMap { group in
      let isManagers = listeners.managers.contains(group.listener)
      let name =
        isManagers
        ? group.listener == "http" ? "http" : "lines" : Inheritance.name(of: group.listener, group.sockets)
      return group.sockets.map { (listener: group.listener, name: name, descriptor: $0) }
    }
  }

  private static func send(_ streams: [HandedStream], to connection: MessageConnection) throws(Takeover.Fault) {
    var notes = HandoverNotes()
    for stream in streams { notes.streams[Socket.cookie(stream.descriptor)] = stream.note }
    let file = try Takeover.file(notes)
    try Takeover.send(
      "streams", streams.map { (name: Inheritance.streamName, descriptor: $0.descriptor) } + [file], to: connection)
  }
}
