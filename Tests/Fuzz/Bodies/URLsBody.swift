@testable import Storage

/// A URL can be connected to and is named as what it is, without its password, which no fault shows a part of either.
///
/// An input is the text; its first byte says where in it stands what must not be shown.
func checkURLs(_ bytes: [UInt8]) throws(Broken) {
  guard let first = bytes.first else { return }
  var text = String(decoding: bytes.dropFirst(), as: UTF8.self)
  let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
  let mark = "\u{1F512}"
  if text.contains(mark) { return }
  if let at = text.lastIndex(of: "@"), start <= at {
    let places = text.distance(from: start, to: at)
    text.insert(contentsOf: mark, at: text.index(start, offsetBy: Int(first) * places / 255))
  }
  let url: Result<RedisURL, RedisURL.Fault> = Result { () throws(RedisURL.Fault) in try RedisURL(text) }
  switch url {
  case .success(let url):
    try hold(0...RedisURL.largestWeight ~= url.weight && url.database ?? 0 >= 0, "weight or database of \(text)")
    guard case .tcp = url.place else { return }
    try checkPlace(url.place)
    try hold(!url.description.contains(mark), "the name of \(text) shows its password")
    let named = try? RedisURL(url.description)
    try hold(named?.place == url.place && named?.database ?? 0 == url.database ?? 0, "\(text) is named \(url)")
  case .failure(let fault):
    try hold(!fault.description.contains(mark), "\(text): the fault shows a part of the password")
  }
}
