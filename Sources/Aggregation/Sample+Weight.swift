import Protocol

extension Sample {
  /// How many events a sample stands for, finite: 1 / rate.
  ///
  /// A client that sends one of a hundred thousand means 100,000, and writes the decimal number next to its reciprocal: where `rate` is
  /// the double nearest to 1 / n for a whole n, the weight is n. The division alone may miss it by a unit in the last place
  /// (1 / 0.00001 is 99999.99999999999), and the count would be no whole number any more.
  @inline(never)
  static func weight(ofRate rate: Double) -> Double {
    let nearest = (1 / rate).rounded()
    return 1 / nearest == rate ? nearest : (1 / rate).finite
  }
}
