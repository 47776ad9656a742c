package dev.espalier.pretrain;

import java.util.List;

/// A synthetic tool and what people use it for.
///
/// @param slots in schema order; that of a CHANGE or DROP has the reference of what it is about
///   among them
/// @param verb what users say for what it does
/// @param noun what it is about
record Skill(Tool tool, List<Slot> slots, Verb verb, String noun) {
  enum Family {
    /// Makes something and returns its reference.
    CREATE,
    /// Changes something that has a reference.
    CHANGE,
    /// Ends something that has a reference.
    DROP,
    /// Returns records.
    LOOKUP
  }

  /// @param name as tools have it
  /// @param said what users say
  /// @param done the participle
  record Verb(String name, List<String> said, String done, Family family) {
    static List<Verb> load() {
      return Lines.of("verbs.txt").stream()
          .map(line -> line.split(" \\| "))
          .map(c -> new Verb(c[0], List.of(c[1].split(", ")), c[2], Family.valueOf(c[3])))
          .toList();
    }
  }

  /// "a parcel", "an order".
  String aNoun() {
    return a(noun);
  }

  static String plural(String noun) {
    if (noun.endsWith("s")) return noun;
    boolean consonant = noun.endsWith("y") && "aeiou".indexOf(noun.charAt(noun.length() - 2)) < 0;
    return consonant ? noun.substring(0, noun.length() - 1) + "ies" : noun + "s";
  }

  static String a(String noun) {
    return ("aeiou".indexOf(noun.charAt(0)) >= 0 ? "an " : "a ") + noun;
  }
}
