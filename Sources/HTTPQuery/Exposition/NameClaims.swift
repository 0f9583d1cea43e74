import Aggregation

/// The names on the pages of one language, and the families that claimed them first.
///
/// A family claims its own name and that name with each of its suffixes. Two families meet if one's name is the other's, or the
/// other's with a suffix; two names with suffixes are the same only if the names are. So one entry a family is enough.
///
/// Names are known by a hash of 64 bits under a seed of the process: that two of a million meet by chance happens once in tens of
/// millions of runs, and then the later one is left out.
struct NameClaims {
  private struct Claim {
    var family: FamilyID
    var suffixes: NameSuffixes
  }

  private var claims: [Int: Claim] = [:]
  /// The key in `claims` of each family that stands on the page; 0 for all others.
  private var keys: [Int] = []
  /// Families that met one that was there.
  private var waiting: Set<FamilyID> = []
  /// Whom each of them met, the other way round. Who waits no more is struck out only when that one leaves.
  private var followers: [FamilyID: [FamilyID]] = [:]

  /// Bytes that it takes, about: of a hash table with a third of its places empty key, value and a bit, or four times as much for a list.
  var byteCount: Int { keys.capacity * 8 + claims.capacity * 22 + waiting.capacity * 6 + followers.count * 64 }

  /// Whether a family stands on the page.
  func contains(_ family: FamilyID) -> Bool { Int(family) < keys.count && keys[Int(family)] != 0 }

  /// Takes a family in unless its names meet those of one that is there; then it waits until that one has left.
  /// - Returns: whether it stands on the page from now on.
  /// - Complexity: O(length of the name).
  mutating func add(_ family: FamilyID, _ name: ExposedName) -> Bool {
    if let first = holder(of: name) {
      followers[first, default: []].append(family)
      waiting.insert(family)
      return false
    }
    while keys.count <= Int(family) { keys.append(0) }
    let key = Self.key(name.bytes[...])
    keys[Int(family)] = key
    claims[key] = Claim(family: family, suffixes: name.suffixes)
    return true
  }

  /// Lets a family go.
  /// - Returns: those that had to wait for it, in their order: add them again.
  mutating func remove(_ family: FamilyID) -> [FamilyID] {
    guard contains(family) else {
      waiting.remove(family)
      return []
    }
    claims[keys[Int(family)]] = nil
    keys[Int(family)] = 0
    let candidates = followers.removeValue(forKey: family) ?? []
    return candidates.filter { waiting.remove($0) != nil }
  }

  private func holder(of name: ExposedName) -> FamilyID? {
    if let claim = claims[Self.key(name.bytes[...])] { return claim.family }
    for (suffix, text) in NameSuffixes.all {
      if name.suffixes.contains(suffix), let claim = claims[Self.key(name.bytes[...], text)] { return claim.family }
      if name.bytes.ends(with: text), let claim = claims[Self.key(name.bytes.dropLast(text.utf8CodeUnitCount))],
        claim.suffixes.contains(suffix)
      {
        return claim.family
      }
    }
    return nil
  }

  private static func key(_ name: ArraySlice<UInt8>, _ suffix: StaticString = "") -> Int {
    var hasher = Hasher()
    // Safe: the bytes are read within the calls.
    unsafe name.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    suffix.withUTF8Buffer { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    let key = hasher.finalize()
    return key == 0 ? 1 : key
  }
}
