package dev.espalier.template;

/// Python's `"{} {name}".format(...)`, without format specifications and attributes.
final class BraceFormat {
  private BraceFormat() {}

  static String format(String pattern, Arguments arguments) {
    var text = new StringBuilder();
    int next = 0;
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      if ((c == '{' || c == '}') && pattern.startsWith(String.valueOf(c), i + 1)) {
        text.append(c);
        i++;
      } else if (c == '{') {
        int end = pattern.indexOf('}', i);
        if (end < 0) {
          throw new Failure("a format ends in the middle of a field");
        }
        var field = pattern.substring(i + 1, end);
        text.append(PythonText.str(value(field.isEmpty() ? "" + next++ : field, arguments)));
        i = end;
      } else if (c == '}') {
        throw new Failure("a format has a '}' that closes nothing");
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  private static Object value(String field, Arguments arguments) {
    if (!field.codePoints().allMatch(c -> c == '_' || Character.isLetterOrDigit(c))) {
      throw new Failure("the format field {" + field + "} is not supported");
    }
    boolean number = Casing.isDecimal(field) && field.length() < 10;
    int index = number ? Integer.parseInt(field) : Integer.MAX_VALUE;
    if (index < arguments.positional().size()) {
      return arguments.positional().get(index);
    }
    var named = arguments.named().get(field);
    if (named != null) {
      return named;
    }
    throw new Failure("a format needs the value '" + field + "'");
  }
}
