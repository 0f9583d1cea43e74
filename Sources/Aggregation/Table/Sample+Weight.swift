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

  /// What a counter's sample adds: a whole number wherever it can be told exactly, else a fraction.
  static func amount(of number: DecimalNumber, rate: Double) -> (whole: Int64, fraction: Double) {
    if rate == 1 && number.isInteger { return (number.integer, 0) }
    let weight = weight(ofRate: rate)
    if number.isInteger, let whole = Int64(exactly: weight) {
      let product = number.integer.multipliedReportingOverflow(by: whole)
      if !product.overflow { return (product.partialValue, 0) }
    }
    let weighed = number.double * weight
    // Up to 2^53 a double that is whole stands for itself.
    if weighed.magnitude < 0x1p53, weighed.rounded(.towardZero) == weighed { return (Int64(weighed), 0) }
    return (0, weighed.finite)
  }
}
