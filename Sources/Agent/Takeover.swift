import Platform

/// What two programs say to each other when one takes over from the other (`--takeover`), over `takeover.sock` in the state directory.
///
///     new                                  running
///     footfall-takeover 1            ──▶   checks who asks
///                                    ◀──   sockets: names, and with them descriptors
///     begins to receive
///     receiving 0 1 2 5              ──▶   (numbers of the sockets that it goes on with)
///                                          its workers pause
///                                    ◀──   streams: names, descriptors, the bytes of lines without an end
///     taken                          ──▶   from here on there is no way back
///                                          answers what was asked, gathers for the last time, closes the journal and its books
///                                    ◀──   yours: how far the books go
///     opens the journal, is ready          exits
///
/// Until `taken` the running one goes on as if nothing had been asked, should the other fail or fall silent. A list comes in parts, each a
/// message: `sockets more` or `sockets last`, then a name a line; the descriptors come with it in the same order.
enum Takeover {
  static let greeting = "footfall-takeover 1"
  static let socketName = "takeover.sock"
  /// Descriptors in one message, with names of up to 255 bytes.
  static let part = min(128, MessageConnection.mostDescriptors)
  /// The most that either side waits for the other's next word.
  static let patienceSeconds = 20

  /// Why it came to nothing.
  enum Fault: Error, Equatable, CustomStringConvertible {
    /// The other side is gone.
    case ended
    case silent
    /// It said something else than was to be said.
    case unexpected(String)
    case system(SystemError)

    var description: String {
      switch self {
      case .ended: "the other side is gone"
      case .silent: "the other side does not answer"
      case .unexpected(let text): "the other side says \(Log.quoted(text))"
      case .system(let error): error.description
      }
    }
  }

  static func send(_ text: String, to connection: MessageConnection) throws(Fault) {
    do throws(SystemError) { try connection.send(text) } catch { throw .system(error) }
  }

  static func send(_ word: String, _ list: [(name: String, descriptor: Descriptor)], to connection: MessageConnection)
    throws(Fault)
  {
    var rest = list[...]
    repeat {
      let now = rest.prefix(part)
      rest = rest.dropFirst(part)
      let text = ([word + (rest.isEmpty ? " last" : " more")] + now.map(\.name)).joined(separator: "\n")
      do throws(SystemError) { try connection.send(text, now.map(\.descriptor)) } catch { throw .system(error) }
    } while !rest.isEmpty
  }

  /// The next message, which must begin with `word`.
  static func receive(
    _ word: String, from connection: MessageConnection, meanwhile: () -> Void = {}
  ) throws(Fault) -> (rest: String, descriptors: [Int32]) {
    switch connection.receive(seconds: patienceSeconds, meanwhile: meanwhile) {
    case .message(let text, let descriptors):
      if text == word { return ("", descriptors) }
      if text.hasPrefix(word + " ") { return (String(text.dropFirst(word.count + 1)), descriptors) }
      for number in descriptors { _ = Descriptor(owning: number) }
      throw .unexpected(text)
    case .end: throw .ended
    case .timedOut: throw .silent
    }
  }

  /// A list, up to its last part.
  static func receiveList(
    _ word: String, from connection: MessageConnection
  ) throws(Fault) -> [(name: String, descriptor: Int32)] {
    var list: [(name: String, descriptor: Int32)] = []
    while true {
      let (rest, descriptors) = try receive(word, from: connection)
      let lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
      guard lines.count == descriptors.count + 1 else { throw .unexpected(word) }
      for (name, descriptor) in zip(lines.dropFirst(), descriptors) { list.append((String(name), descriptor)) }
      if lines[0] == "last" { return list }
    }
  }

  /// Notes on their way, as a file in memory.
  static func file(_ notes: HandoverNotes) throws(Fault) -> (name: String, descriptor: Descriptor) {
    do throws(SystemError) {
      let file = try MemoryFile.make(Inheritance.notesName)
      try MemoryFile.write(notes.bytes, to: file)
      return (Inheritance.notesName, file)
    } catch {
      throw .system(error)
    }
  }

  /// Sockets and notes of a list that has come.
  static func sorted(
    _ list: [(name: String, descriptor: Int32)]
  ) throws(Fault) -> (sockets: [ActivatedSocket], notes: HandoverNotes) {
    var sockets: [ActivatedSocket] = []
    var notes = HandoverNotes()
    do throws(SystemError) {
      for (name, descriptor) in list {
        if name == Inheritance.notesName {
          notes = HandoverNotes(try MemoryFile.read(Descriptor(owning: descriptor))) ?? notes
        } else {
          sockets.append(try ActivatedSocket(descriptor: descriptor, name: name))
        }
      }
    } catch {
      throw .system(error)
    }
    return (sockets, notes)
  }
}
