import Platform

/// What one process leaves to the next: sockets, streams in the midst of their lines, and what must be known of them.
///
/// It comes from the manager (LISTEN_FDS: what its socket units bound, and what an earlier process gave into its descriptor store), or from
/// a running program (`--takeover`). Names tell what is what:
///
///     footfall.lines.…   footfall.http.…    sockets that the program itself has bound
///     footfall.stream                       accepted connections that bring lines
///     footfall.notes                        `HandoverNotes`, a file in memory
///     anything else                         the manager's own sockets, in the place of the addresses in the options
struct Inheritance: Sendable {
  static let prefix = "footfall."
  static let linesPrefix = prefix + "lines."
  static let httpPrefix = prefix + "http."
  static let streamName = prefix + "stream"
  static let notesName = prefix + "notes"

  /// Sockets to receive at and to accept from.
  var sockets: [ActivatedSocket] = []
  /// Accepted connections.
  var streams: [ActivatedSocket] = []
  var notes = HandoverNotes()
  /// The file that holds the notes, where the manager keeps it: what is written there the next start reads.
  var notesFile: Descriptor?

  /// What the manager has handed over.
  /// - Throws: at a descriptor that is not what its name says.
  static func fromManager(_ environment: [String: String]) throws(SystemError) -> Inheritance {
    var file: Descriptor?
    var inheritance = Inheritance()
    let all = try ActivatedSocket.handedOver({ environment[$0] }, file: notesName) { file = $0 }
    inheritance.sockets = all.filter { $0.name != streamName }
    inheritance.streams = all.filter { $0.name == streamName }
    if let file {
      inheritance.notesFile = file
      inheritance.notes = HandoverNotes(try MemoryFile.read(file)) ?? HandoverNotes()
    }
    return inheritance
  }
}

extension ActivatedSocket {
  /// The manager bound it, and keeps it.
  var isManagers: Bool { !name.hasPrefix(Inheritance.prefix) }
}
