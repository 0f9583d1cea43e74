/// How a time of day, in nanoseconds since 1970-01-01T00:00:00Z (`Clock.wall`), is written.
package enum WallClock {
  /// ISO 8601 in UTC with milliseconds, cut and not rounded: `2026-11-21T03:42:00.123Z`.
  ///
  /// Any `nanoseconds` will do: 64 bits reach from 1677 to 2262.
  package static func iso8601(_ nanoseconds: Int64) -> String {
    let (days, inDay) = floorDivide(nanoseconds, by: 86_400 * 1_000_000_000)
    let (seconds, inSecond) = floorDivide(inDay, by: 1_000_000_000)
    let date = civil(daysSince1970: days)
    return "\(date.year)-\(padded(date.month))-\(padded(date.day))T"
      + "\(padded(seconds / 3_600)):\(padded(seconds / 60 % 60)):\(padded(seconds % 60)).\(padded(inSecond / 1_000_000, to: 3))Z"
  }

  /// The proleptic Gregorian date. Years are counted from March, so that the leap day is a year's last; 400 years have 146,097 days
  /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
  private static func civil(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(daysSince1970 + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func floorDivide(_ number: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  private static func padded(_ number: Int64, to width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
