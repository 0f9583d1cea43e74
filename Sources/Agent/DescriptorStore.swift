import Platform

/// The manager's store of descriptors (FileDescriptorStoreMax= in systemd.service(5)), where sockets outlive the program that bound them.
///
/// Sockets go there at the start, so that they are there after a crash too; streams and notes at the end of a program that another one
/// follows. systemd says how many descriptors it keeps in `FDSTORE` since its version 254; before, the unit has to say so.
struct DescriptorStore {
  private let notify: NotifySocket
  /// What the next start must know beside the sockets.
  private let notesFile: Descriptor
  /// Streams that there is room for beside the sockets.
  let streamRoom: Int
  /// Names under which sockets of the program's own are kept.
  private let names: [String]

  /// Gives the program's own sockets into the store; nil if there is none, or one without room for them.
  init?(
    _ environment: [String: String], _ notify: NotifySocket, _ listeners: Listeners, _ inheritance: Inheritance,
    _ log: Log
  ) {
    guard environment["NOTIFY_SOCKET"] != nil, let room = environment["FDSTORE"].flatMap({ Int($0) }), room > 0 else {
      return nil
    }
    let own = listeners.sockets.filter { !listeners.managers.contains($0.listener) }
    let count = own.reduce(1) { $0 + $1.sockets.count }
    guard count <= room else {
      log.warning(
        "the manager's descriptor store is too small for the sockets: raise FileDescriptorStoreMax=",
        ["room": .integer(room), "wanted": .integer(count)])
      return nil
    }
    self.notify = notify
    streamRoom = room - count
    names = own.map { Inheritance.name(of: $0.listener, $0.sockets) }
    // What came out of the store is still in it.
    let kept = Set(inheritance.sockets.map(\.descriptor))
    do throws(SystemError) {
      if let file = inheritance.notesFile {
        notesFile = file
      } else {
        notesFile = try MemoryFile.make(Inheritance.notesName)
        try notify.store([notesFile], as: Inheritance.notesName)
      }
      try MemoryFile.write(HandoverNotes().bytes, to: notesFile)
      for (name, group) in zip(names, own) {
        try notify.store(group.sockets.filter { !kept.contains($0.number) }, as: name)
      }
      let gone = Set(inheritance.sockets.filter { !$0.isManagers }.map(\.name)).subtracting(names)
      for name in gone { try notify.forget(name) }
      // They have been taken up, and shall close when their clients do.
      if !inheritance.streams.isEmpty { try notify.forget(Inheritance.streamName) }
    } catch {
      log.warning(error.description)
      return nil
    }
  }

  /// Leaves streams, and what must be known of them and of the sockets, to the next start.
  func leave(_ streams: [HandedStream], drops: [UInt64: UInt32]) throws(SystemError) {
    var notes = HandoverNotes()
    notes.drops = drops
    for stream in streams { notes.streams[Socket.cookie(stream.descriptor)] = stream.note }
    try MemoryFile.write(notes.bytes, to: notesFile)
    try notify.store(streams.map(\.descriptor), as: Inheritance.streamName)
    try notify.awaitManager()
  }

  /// Takes everything out again: the program ends for good.
  func empty() throws(SystemError) {
    for name in names + [Inheritance.notesName] { try notify.forget(name) }
    try notify.awaitManager()
  }
}

extension Inheritance {
  /// What a socket of the program's own is called on its way: `footfall.lines.udp_127.0.0.1_8125`.
  static func name(of listener: String, _ sockets: [Descriptor]) -> String {
    let isHTTP = listener == "http"
    let place = isHTTP ? sockets.first.map { Socket.localAddress($0).description } ?? "" : listener
    let allowed = place.utf8.map { byte in
      switch byte {
      case 0x2D...0x39, 0x41...0x5D, 0x61...0x7A: byte  // - . / digits A-Z [ \ ] a-z
      default: UInt8(ascii: "_")
      }
    }
    return (isHTTP ? httpPrefix : linesPrefix) + String(decoding: allowed.prefix(200), as: UTF8.self)
  }
}
