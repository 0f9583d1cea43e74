extension Double {
  /// A sum of finite numbers that stays one: what became infinite is the largest finite number of its sign.
  ///
  /// An infinite total would become no number at all with the next subtraction, and JSON has a word for neither.
  @inline(__always)
  var finite: Double { min(max(self, -.greatestFiniteMagnitude), .greatestFiniteMagnitude) }
}
