/// Samples that bear their own time, in one half of a table's memory: they go past the records, and the reader puts them where they belong.
///
///     offset  bytes
///          0      8  samples in the log
///          8      8  samples that found it full
///         16 32 * n  the samples
///
///     sample   0  4  number of the record            8  8  second since 1970; `farOff`: into the total only
///              4  1  form                           16  8  whole count, or fraction, or a timer's value
///              5  1  rank of a set's register       24  8  weight of a timer's value
///              6  2  register
@safe
struct LateLog {
  /// Samples in an epoch; one that finds it full counts as one of the present.
  static let capacity = 32_768
  static let byteCount = headBytes + capacity * sampleBytes
  static let farOff = Int64.min
  private static let headBytes = 16
  private static let sampleBytes = 32

  enum Form: UInt8 {
    case whole, fraction, value, register
  }

  struct Sample {
    var number: UInt32
    var form: Form
    var second: Int64
    var whole: Int64 = 0
    var double = 0.0
    var weight = 0.0
    var register = 0
    var rank: UInt8 = 0
  }

  private let base: UnsafeMutableRawPointer

  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  // Safe: all of the below, places are below the capacity, for which the memory is reserved.

  var count: Int {
    get { unsafe base.load(as: Int.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, as: Int.self) }
  }

  var misplaced: UInt64 {
    get { unsafe base.load(fromByteOffset: 8, as: UInt64.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: 8, as: UInt64.self) }
  }

  /// - Returns: false if the log is full, which is noted.
  func append(_ sample: Sample) -> Bool {
    let place = count
    if place >= Self.capacity {
      misplaced += 1
      return false
    }
    let at = unsafe base + Self.headBytes + place * Self.sampleBytes
    unsafe at.storeBytes(of: sample.number, as: UInt32.self)
    unsafe at.storeBytes(of: sample.form.rawValue, toByteOffset: 4, as: UInt8.self)
    unsafe at.storeBytes(of: sample.rank, toByteOffset: 5, as: UInt8.self)
    unsafe at.storeBytes(of: UInt16(truncatingIfNeeded: sample.register), toByteOffset: 6, as: UInt16.self)
    unsafe at.storeBytes(of: sample.second, toByteOffset: 8, as: Int64.self)
    let value = sample.form == .whole ? sample.whole : Int64(bitPattern: sample.double.bitPattern)
    unsafe at.storeBytes(of: value, toByteOffset: 16, as: Int64.self)
    unsafe at.storeBytes(of: sample.weight, toByteOffset: 24, as: Double.self)
    count = place + 1
    return true
  }

  subscript(place: Int) -> Sample {
    precondition(place >= 0 && place < Self.capacity)
    let at = unsafe base + Self.headBytes + place * Self.sampleBytes
    let form = Form(rawValue: unsafe at.load(fromByteOffset: 4, as: UInt8.self)) ?? .whole
    let value = unsafe at.load(fromByteOffset: 16, as: Int64.self)
    return Sample(
      number: unsafe at.load(as: UInt32.self), form: form, second: unsafe at.load(fromByteOffset: 8, as: Int64.self),
      whole: form == .whole ? value : 0, double: form == .whole ? 0 : Double(bitPattern: UInt64(bitPattern: value)),
      weight: unsafe at.load(fromByteOffset: 24, as: Double.self),
      register: Int(unsafe at.load(fromByteOffset: 6, as: UInt16.self)),
      rank: unsafe at.load(fromByteOffset: 5, as: UInt8.self))
  }
}
