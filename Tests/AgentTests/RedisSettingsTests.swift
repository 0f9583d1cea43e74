import Storage
import Testing

@testable import Agent

@Suite struct `settings of Redis` {
  private func settings(_ arguments: [String], _ environment: [String: String] = [:]) throws -> RedisSettings? {
    RedisSettings(try configuration(arguments, environment: environment), password: nil)
  }

  @Test func `have the database of REDIS_DB where a URL names none`() throws {
    let urls = ["--redis", "redis://a,redis://b/0,redis://c/3,unix:///d,unix:///e?db=0"]
    #expect(try settings(urls, ["REDIS_DB": "2"])?.urls.map(\.database) == [2, 0, 3, 2, 0])
    #expect(try settings(urls)?.urls.map(\.database) == [nil, 0, 3, nil, 0])
  }

  @Test func `say that a Cluster is wanted where one is named`() throws {
    #expect(try settings(["--redis", "redis://a"])?.isCluster == false)
    #expect(try settings(["--redis-cluster", "redis://a"])?.isCluster == true)
    #expect(try settings([]) == nil)
  }
}
