import Platform

/// The value of `Date`, made anew only when the second has changed (RFC 9110, section 5.6.7: IMF-fixdate).
///
///     Thu, 21 Nov 2024 03:57:00 GMT
struct HTTPDate {
  /// When the text will be of the past, on the clock that never jumps: a day's clock set anew is told a second late.
  private var until = Int64.min
  private var text: [UInt8] = []

  /// - Parameter monotonic: nanoseconds.
  mutating func bytes(at monotonic: Int64) -> [UInt8] {
    if monotonic >= until {
      let wall = Clock.wall()
      until = monotonic + 1_000_000_000 - wall % 1_000_000_000
      text = Array(Self.format(wall).utf8)
    }
    return text
  }

  private static func format(_ wall: Int64) -> String {
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]  // 1970-01-01 was a Thursday
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    // `2024-11-21T03:57:00.000Z`
    let iso = WallClock.iso8601(wall)
    let parts = iso.split { "-T.".contains($0) }
    let day = days[Int((wall / 86_400_000_000_000) % 7)]
    return "\(day), \(parts[2]) \(months[(Int(parts[1]) ?? 1) - 1]) \(parts[0]) \(parts[3]) GMT"
  }
}
