import Platform

/// The one that takes over.
struct TakeoverGuest {
  private let connection: MessageConnection
  /// What the running one listens at; this process receives there too from now on.
  let sockets: [ActivatedSocket]

  /// Asks who runs on the state directory; nil if nobody does, or if it ended before it handed anything over.
  static func ask(_ path: String, _ log: Log) throws(SystemError) -> TakeoverGuest? {
    guard let connection = try MessageConnection.connect(to: path) else {
      log.info("nobody runs that could be taken over from", ["path": .text(path)])
      return nil
    }
    do throws(Takeover.Fault) {
      try Takeover.send(Takeover.greeting, to: connection)
      let (sockets, _) = try Takeover.sorted(Takeover.receiveList("sockets", from: connection))
      log.info("taking over", ["process": .integer(connection.peerProcess), "sockets": .integer(sockets.count)])
      return TakeoverGuest(connection: connection, sockets: sockets)
    } catch .ended {
      log.warning("the running program ended when it was asked")
      return nil
    } catch {
      log.error("takeover: \(error)")
      throw SystemError("takeover", path, number: SystemError.protocolFault)
    }
  }

  /// Says which sockets this process goes on with, by their numbers in `sockets`, once it receives there.
  /// - Returns: the streams, and what must be known of them; nothing if the running one has died by now.
  func takeStreams(wanted: [Int], _ log: Log) -> Inheritance {
    var inheritance = Inheritance()
    do throws(Takeover.Fault) {
      try Takeover.send((["receiving"] + wanted.map(String.init)).joined(separator: " "), to: connection)
      (inheritance.streams, inheritance.notes) = try Takeover.sorted(Takeover.receiveList("streams", from: connection))
      try Takeover.send("taken", to: connection)
    } catch {
      log.warning("takeover: \(error); the sockets are here, its connections and what it had not written are not")
    }
    return inheritance
  }

  /// Waits until the running one has closed its journal and its books, and let go of the state directory.
  /// - Returns: how far its books go.
  func awaitEnd(_ log: Log) -> HandoverNotes {
    do throws(Takeover.Fault) {
      let descriptors = try Takeover.receive("yours", from: connection).descriptors
      return try Takeover.sorted(descriptors.map { (Inheritance.notesName, $0) }).notes
    } catch {
      log.warning("takeover: \(error); what it had not written is lost")
      return HandoverNotes()
    }
  }
}
