import Foundation

let maximum = 8

/// A string that sounds.
protocol Sounding {
    var pitch: Double { get }
    func pluck(_ force: Double) -> Sound
}

@available(macOS 12, *)
public final class Guitar: Sounding {
    public var pitch: Double = 440
    private let strings: [String]

    public init(strings: [String]) {
        self.strings = strings
        precondition(strings.count <= maximum)
    }

    deinit {
        print("gone")
    }

    public func pluck(_ force: Double) -> Sound {
        guard force > 0 else { return .silence }
        return .tone(pitch * force, strings.joined(separator: ","))
    }

    subscript(index: Int) -> String { strings[index] }
}

struct Chord<Note> {
    let notes: [Note]
    static func major() -> Chord { Chord(notes: []) }
}

enum Sound {
    case silence
    case tone(Double, String)
}

extension Guitar: CustomStringConvertible {
    public var description: String { "guitar at \(pitch)" }
}

typealias Notes = [Chord<Int>]

func tune(_ guitar: Guitar) async throws -> Double {
    guitar.pitch = 442
    return guitar.pitch
}
