import Aggregation
import Platform
import Protocol

/// What the options say about the query thread.
package struct QuerySettings: Sendable {
  /// How often what the workers gathered is taken over when nobody asks.
  package var flushIntervalNanoseconds: Int64
  /// Connections at a time; who comes then is told to come again later.
  package var httpConnections: Int
  /// How long a connection may wait between requests; nil is for ever.
  package var httpIdleNanoseconds: Int64?
  /// Of timers, each from 0 to 1.
  package var quantiles: [Double]
  /// Upper bounds of timers' buckets in the exported unit, ascending; empty: timers are summaries.
  package var buckets: [Double]
  /// What `/` and `/status` say of the program.
  package var version: String
  /// How `/explain` reads.
  package var reader: LineReader
  /// Where the key of a keyed count goes.
  package var keyLabels: KeyLabels
  /// What of a visit's URL becomes its page.
  package var pageSource: Page.Source
  /// Whose word is taken for who a client is.
  package var trustedProxies: [AddressRange]
  /// How long series stay, and what history may take; nil: as the view was made.
  package var view: MergedView.Settings?
  /// Bytes that all of it together may take; nil: no bound.
  package var memoryLimit: Int?
  /// Of them, those of the program itself and of the workers' buffers.
  package var fixedBytes: Int
  /// Requests a second and client; nil: any number.
  package var httpRate: Int?
  /// Who may write, and which pages may read.
  package var access: AccessRules
  /// What `/status` says of the log: everything is told.
  package var debugMode: Bool

  package init(
    flushIntervalNanoseconds: Int64, httpConnections: Int, httpIdleNanoseconds: Int64?, quantiles: [Double],
    buckets: [Double], version: String, reader: LineReader, keyLabels: KeyLabels, pageSource: Page.Source = .path,
    trustedProxies: [AddressRange] = [], httpRate: Int? = nil, access: AccessRules = AccessRules(),
    debugMode: Bool = false, view: MergedView.Settings? = nil, memoryLimit: Int? = nil, fixedBytes: Int = 0
  ) {
    self.flushIntervalNanoseconds = flushIntervalNanoseconds
    self.httpConnections = httpConnections
    self.httpIdleNanoseconds = httpIdleNanoseconds
    self.quantiles = quantiles
    self.buckets = buckets
    self.version = version
    self.reader = reader
    self.keyLabels = keyLabels
    self.pageSource = pageSource
    self.trustedProxies = trustedProxies
    self.view = view
    self.memoryLimit = memoryLimit
    self.fixedBytes = fixedBytes
    self.httpRate = httpRate
    self.access = access
    self.debugMode = debugMode
  }
}
