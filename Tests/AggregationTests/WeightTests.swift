import Testing

@testable import Aggregation

/// What a sampled count adds.
@Suite struct WeightTests {
  @Test(
    arguments: [
      // 1 / 0.00001 is 99999.99999999999 in floating point.
      ("1|c|@0.00001", 100_000), ("3|c|@0.00001", 300_000), ("1|c|@1e-5", 100_000), ("1|c|@0.000001", 1_000_000),
      ("7|c|@0.1", 70), ("-3|c|@0.01", -300), ("5|c|@0.001", 5_000), ("1.5|c|@0.5", 3), ("3|c|@2", nil),
      // Beyond 2^53, where a double would round to an even number.
      ("9007199254740993|c|@0.5", 18_014_398_509_481_986), ("-9007199254740993|c|@0.1", -90_071_992_547_409_930),
      // Beyond 2^63.
      ("9223372036854775807|c|@0.5", nil), ("1|c|@0.3", nil), ("1|c|@1e-300", nil),
    ] as [(String, Int64?)])
  func `a sampled count is a whole number wherever the rate is a whole number's reciprocal`(line: String, whole: Int64?)
    throws
  {
    let world = World()
    world.workers[0].count("a:\(line)")
    world.gather()
    let total = try #require(world["counter a"]).total
    #expect(total.whole == whole)
    #expect(total.value.isFinite)
  }

  @Test func `a timer's weight is whole as a count's is`() throws {
    let world = World()
    world.workers[0].count("t:2|ms|@0.00001\nu:2|ms|@0.3")
    world.gather()
    let timer = world.view.timer(try #require(world["timer t"]))
    #expect(timer.count == 100_000 && timer.sum == 200_000)
    #expect(world.view.timer(try #require(world["timer u"])).count == 1 / 0.3)
  }
}
