import Protocol

/// Reads a payload record by record.
package struct JournalRecordReader {
  /// Seconds since 1970 of what the payload holds.
  package let wall: Int64
  /// The payload is a slice of a snapshot.
  package let isSnapshot: Bool
  /// What follows could not be read: the payload is damaged or was made by a later version.
  package private(set) var isMalformed = false

  /// Nil if the payload's head cannot be read.
  package init?(_ payload: [UInt8]) { return nil }

  /// The next record; nil at the end or where the payload is malformed.
  package mutating func next() -> JournalRecord? { nil }
}
