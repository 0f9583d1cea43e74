import Randomness

import Protocol

/// A line made up at random, and what it shall do: the model of the whole table needs no parser.
struct RandomLine {
  /// One sample's effect on one series.
  struct Effect {
    var kind: SampleKind
    /// As `World.name(of:)` gives it, without the kind.
    var series: String
    var value = 1.0
    var rate = 1.0
    var isRelative = false
    var member = ""
  }

  var text: String
  var effects: [Effect] = []
  var refusal: Refusal?

  init(_ text: String, _ effects: [Effect]) {
    self.text = text
    self.effects = effects
  }

  init(_ text: String, refused reason: Refusal) {
    self.text = text
    refusal = reason
  }

  /// A line of any kind over a few dozen series.
  static func any(_ random: inout SplitMix) -> RandomLine {
    switch random.below(12) {
    case 0, 1: plainCount(&random)
    case 2: keyedCount(&random)
    case 3: ratedCount(&random)
    case 4: inlineTags(&random)
    case 5: gauge(&random)
    case 6, 7: timer(&random)
    case 8: set(&random)
    case 9: packed(&random)
    case 10: dataDog(&random)
    default: refused(&random)
    }
  }

  /// Two tags in either order, or with an empty item between them.
  private static func tags(_ random: inout SplitMix) -> (text: String, series: String) {
    let (env, host) = (random.pick(["prod", "test"]), random.pick(["web1", "web2", "a-host-with-a-long-name"]))
    let text = random.pick(["env:\(env),host:\(host)", "host:\(host),env:\(env)", "host:\(host),,env:\(env)"])
    return (text, "{env=\(env),host=\(host)}")
  }

  static func plainCount(_ random: inout SplitMix) -> RandomLine {
    let name = random.pick(["a", "requests", "a.counter.whose.name.is.longer.than.a.record"])
    let value = random.pick([0, 1, 7, 12, 1_234_567, 99_999_999, 123_456_789_012, -5, -1_000])
    return RandomLine("\(name):\(value)|c", [.init(kind: .counter, series: name, value: Double(value))])
  }

  static func keyedCount(_ random: inout SplitMix) -> RandomLine {
    let page = random.pick(["p1", "p2", "https://shop.example/a,b", "3d-printer"])
    let series = "visit{page=\(page)}"
    let text = random.pick([
      "visit:\(page)|c", "visit:\(page):1|c", page.contains(",") ? "visit:\(page)|c" : "visit:1|c|#page:\(page)",
    ])
    return RandomLine(text, [.init(kind: .counter, series: series)])
  }

  static func ratedCount(_ random: inout SplitMix) -> RandomLine {
    let (tags, labels) = tags(&random)
    let (rate, value) = (random.pick([0.5, 0.25, 0.1, 0.001, 0.3]), Double(random.below(100)))
    return RandomLine(
      "rated:\(Int(value))|c|@\(rate)|#\(tags)",
      [.init(kind: .counter, series: "rated\(labels)", value: value, rate: rate)])
  }

  static func inlineTags(_ random: inout SplitMix) -> RandomLine {
    let env = random.pick(["prod", "test"])
    let spelling = random.pick([
      "in,env=\(env)", "in#env=\(env)", "in;env=\(env)", "i[env=\(env)]n", "[env=\(env)]in",
    ])
    let series = "in{env=\(env)}"
    switch random.below(4) {
    case 0: return RandomLine("\(spelling):3|g", [.init(kind: .gauge, series: series, value: 3)])
    case 1: return RandomLine("\(spelling):4|ms", [.init(kind: .timer, series: series, value: 4)])
    case 2: return RandomLine("in:2|c|#env:\(env)", [.init(kind: .counter, series: series, value: 2)])
    default: return RandomLine("\(spelling):2|c", [.init(kind: .counter, series: series, value: 2)])
    }
  }

  static func gauge(_ random: inout SplitMix) -> RandomLine {
    let (tags, labels) = tags(&random)
    let value = Double(random.below(1_000))
    switch random.below(3) {
    case 0:
      return RandomLine(
        "level:+\(Int(value))|g|#\(tags)",
        [.init(kind: .gauge, series: "level\(labels)", value: value, isRelative: true)])
    case 1:
      return RandomLine(
        "level:-\(Int(value))|g|#\(tags)",
        [.init(kind: .gauge, series: "level\(labels)", value: -value, isRelative: true)])
    default:
      return RandomLine("level:\(Int(value))|g|#\(tags)", [.init(kind: .gauge, series: "level\(labels)", value: value)])
    }
  }

  static func timer(_ random: inout SplitMix) -> RandomLine {
    let (tags, labels) = tags(&random)
    let (value, rate) = (Double(random.below(50_000)) / 8, random.pick([1, 1, 0.5, 0.125]))
    let (letter, kind) = random.pick([("ms", SampleKind.timer), ("h", .histogram), ("d", .distribution)])
    let suffix = rate == 1 ? "" : "|@\(rate)"
    return RandomLine(
      "took:\(value)|\(letter)\(suffix)|#\(tags)",
      [.init(kind: kind, series: "took\(labels)", value: value, rate: rate)])
  }

  static func set(_ random: inout SplitMix) -> RandomLine {
    let member = "user:\(random.below(400))"
    return RandomLine("users:\(member)|s", [.init(kind: .set, series: "users", member: member)])
  }

  static func packed(_ random: inout SplitMix) -> RandomLine {
    let (one, other) = (random.below(50), random.below(50))
    switch random.below(3) {
    case 0:
      return RandomLine(
        "many:\(one)::\(other)|ms|@0.5",
        [one, other].map { .init(kind: .timer, series: "many", value: Double($0), rate: 0.5) })
    case 1:
      return RandomLine(
        "many:\(one):\(other)|c", [one, other].map { .init(kind: .counter, series: "many", value: Double($0)) })
    default:
      return RandomLine(
        "mixed:\(one)|c:\(other)|ms|@0.5:u\(one)|s:5|c",
        [
          .init(kind: .counter, series: "mixed", value: Double(one)),
          .init(kind: .timer, series: "mixed", value: Double(other), rate: 0.5),
          .init(kind: .set, series: "mixed", member: "u\(one)"), .init(kind: .counter, series: "mixed", value: 5),
        ])
    }
  }

  static func dataDog(_ random: inout SplitMix) -> RandomLine {
    if random.below(2) == 0 {
      return RandomLine("_e{8,4}:a: b|c|d|text|#env:prod", [.init(kind: .event, series: "a: b|c|d{env=prod}")])
    }
    let status = random.below(4)
    return RandomLine(
      "_sc|db.up|\(status)|#b:1,a:2|m:all well",
      [.init(kind: .serviceCheck, series: "db.up{a=2,b=1}", value: Double(status))])
  }

  static func refused(_ random: inout SplitMix) -> RandomLine {
    random.pick([
      RandomLine(":1|c", refused: .emptyName), RandomLine("a\u{1}:1|c", refused: .badName),
      RandomLine("a\u{1}:1|ms", refused: .badName), RandomLine("a", refused: .noValue),
      RandomLine("a:nan|c", refused: .badValue), RandomLine("a:1|x", refused: .badType),
      RandomLine("a:1|c|@0", refused: .badRate), RandomLine("a:1|c|#:x", refused: .badTags),
      RandomLine("a:1|c|Tnow", refused: .badTimestamp), RandomLine("_e{9,1}:a|b", refused: .malformed),
      RandomLine("visit:p1|c|#page:p2", refused: .badTags), RandomLine("x,k=v:1:2|c|#a:b", refused: .badTags),
      RandomLine(String(repeating: "a", count: 8_193) + ":1|c", refused: .tooLong),
    ])
  }
}
