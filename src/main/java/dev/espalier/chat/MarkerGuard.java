package dev.espalier.chat;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Keeps a conversation's own text from turning into special tokens.
///
/// A user who writes `<|end|>` must not end a turn. The text is not altered: wherever it spells a
/// special token, a *cut* is put inside it before the template is rendered. A cut is a Unicode
/// noncharacter that the conversation does not hold; the rendered text is tokenised piece by piece
/// between the cuts, so that the spelling is tokenised as plain text, and decodes to what was
/// written. The markers that the template itself writes are not cut.
final class MarkerGuard {
  private static final char FIRST_NONCHARACTER = '\uFDD0';
  private static final char LAST_NONCHARACTER = '\uFDEF';

  private final List<String> starts;
  private final Pattern marker;

  /// @param specials the texts of the special tokens; a token of one character cannot be cut
  MarkerGuard(List<String> specials) {
    var markers = specials.stream().filter(special -> special.length() > 1).toList();
    starts = markers.stream().map(special -> special.substring(0, 2)).distinct().toList();
    marker = Pattern.compile(markers.stream().map(Pattern::quote).collect(Collectors.joining("|")));
  }

  /// A character to cut with: one that the text does not hold.
  static char cutFor(String text) {
    for (char c = FIRST_NONCHARACTER; c <= LAST_NONCHARACTER; c++) {
      if (text.indexOf(c) < 0) return c;
    }
    throw new ChatException(400, "the conversation uses every Unicode noncharacter");
  }

  /// The text with a cut inside whatever spells a special token.
  String cut(String text, char cut) {
    if (starts.stream().noneMatch(text::contains)) return text;
    var out = new StringBuilder();
    int from = 0;
    var found = marker.matcher(text);
    for (int at = 0; found.find(at); at = found.start() + 1) { // spellings may overlap
      out.append(text, from, found.start() + 1).append(cut);
      from = found.start() + 1;
    }
    return out.append(text, from, text.length()).toString();
  }
}
