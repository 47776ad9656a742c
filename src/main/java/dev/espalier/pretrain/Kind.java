package dev.espalier.pretrain;

/// What sort of value an argument takes.
enum Kind {
  PERSON,
  TITLE,
  WORD,
  TEXT,
  PLACE,
  ADDRESS,
  CODE,
  SHORTCODE,
  CODEWORD,
  DIGITS,
  INTEGER,
  SMALL,
  MONEY,
  DECIMAL,
  DATE,
  TIME,
  EMAIL,
  PHONE,
  WEB,
  CHOICE,
  FLAG;

  /// JSON schema's word for it.
  String type() {
    return switch (this) {
      case INTEGER, SMALL -> "integer";
      case MONEY, DECIMAL -> "number";
      case FLAG -> "boolean";
      default -> "string";
    };
  }

  /// Whether a bare value could be taken for one of the other kind.
  boolean alike(Kind other) {
    return group() == other.group();
  }

  private int group() {
    return switch (this) {
      case PERSON -> 0;
      case TITLE, WORD, TEXT, PLACE, ADDRESS, CODEWORD -> 1;
      case CODE, SHORTCODE -> 2;
      case DIGITS, INTEGER, SMALL, MONEY, DECIMAL, PHONE -> 3;
      case DATE -> 4;
      case TIME -> 5;
      case EMAIL, WEB -> 6;
      case CHOICE -> 7;
      case FLAG -> 8;
    };
  }
}
