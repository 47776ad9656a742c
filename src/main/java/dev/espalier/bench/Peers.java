package dev.espalier.bench;

/// Why a figure beside other software is missing.
final class Peers {
  static final String NOT_YET = "no script under bench/peers measures it yet";

  private Peers() {}
}
