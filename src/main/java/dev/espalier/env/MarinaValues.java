package dev.espalier.env;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What conversations are about: vessels, people, berths, dates and numbers.
///
/// A third of each is held out: a held-out conversation has no value, and not even a word of a
/// name, that a captured one has. Regulars are a few captured vessels, people, berths, dates and
/// numbers.
final class MarinaValues {
  private static final LocalDate OPENING = LocalDate.of(2026, 4, 1);
  private static final int SEASON_DAYS = 214;
  private static final String PONTOONS = "ABCDEFGH";
  private static final int BERTHS = 60;
  private static final int MOST_NIGHTS = 30;
  private static final int LEAST_LITRES = 20;
  private static final int MOST_LITRES = 990;
  private static final long REGULARS_SEED = 20_260_402;

  private static final MarinaValues CAPTURED = new MarinaValues(false);
  private static final MarinaValues HELD_OUT = new MarinaValues(true);

  private final List<String> firstWords;
  private final List<String> secondWords;
  private final List<String> givenNames;
  private final List<String> surnames;
  private final List<String> vessels; // empty if any two words make one
  private final List<String> people; // likewise
  private final List<String> berths;
  private final List<LocalDate> dates;
  private final List<Integer> nights;
  private final List<Integer> litres;

  private MarinaValues(boolean heldOut) {
    var names = MarinaText.sections("names.txt");
    IntPredicate ours = n -> (n % 3 == 0) == heldOut;
    firstWords = words(names.getOrDefault("vessel-first", List.of()), ours);
    secondWords = words(names.getOrDefault("vessel-second", List.of()), ours);
    givenNames = words(names.getOrDefault("given", List.of()), ours);
    surnames = words(names.getOrDefault("surname", List.of()), ours);
    vessels = List.of();
    people = List.of();
    berths =
        IntStream.range(0, PONTOONS.length() * BERTHS)
            .filter(n -> ours.test(n / BERTHS + n % BERTHS))
            .mapToObj(n -> PONTOONS.charAt(n / BERTHS) + "" + (n % BERTHS + 1))
            .toList();
    dates =
        IntStream.range(0, SEASON_DAYS)
            .mapToObj(OPENING::plusDays)
            .filter(day -> ours.test(day.getDayOfMonth() + day.getMonthValue()))
            .toList();
    nights = IntStream.rangeClosed(1, MOST_NIGHTS).filter(ours).boxed().toList();
    litres = IntStream.rangeClosed(LEAST_LITRES, MOST_LITRES).filter(ours).boxed().toList();
  }

  private MarinaValues(MarinaValues all, int count) {
    firstWords = all.firstWords;
    secondWords = all.secondWords;
    givenNames = all.givenNames;
    surnames = all.surnames;
    var draw = Draw.of(REGULARS_SEED, 0);
    vessels = Stream.generate(() -> all.vessel(draw)).distinct().limit(count).toList();
    people = Stream.generate(() -> all.person(draw)).distinct().limit(count).toList();
    berths = few(all.berths, count, draw);
    dates = few(all.dates, count, draw);
    nights = few(all.nights, count, draw);
    litres = few(all.litres, count, draw);
  }

  private static <T> List<T> few(List<T> all, int count, Draw draw) {
    return Stream.generate(() -> draw.pick(all))
        .distinct()
        .limit(Math.min(count, all.size()))
        .toList();
  }

  /// So many vessels, people, berths, dates and numbers, and no others.
  static MarinaValues regulars(int count) {
    return new MarinaValues(CAPTURED, count);
  }

  static MarinaValues captured() {
    return CAPTURED;
  }

  static MarinaValues heldOut() {
    return HELD_OUT;
  }

  private static List<String> words(List<String> lines, IntPredicate ours) {
    var all = List.of(String.join(" ", lines).split(" "));
    return IntStream.range(0, all.size()).filter(ours).mapToObj(all::get).toList();
  }

  String vessel(Draw draw) {
    if (!vessels.isEmpty()) return draw.pick(vessels);
    return draw.pick(firstWords) + " " + draw.pick(secondWords);
  }

  String person(Draw draw) {
    if (!people.isEmpty()) return draw.pick(people);
    return draw.pick(givenNames) + " " + draw.pick(surnames);
  }

  String berth(Draw draw) {
    return draw.pick(berths);
  }

  LocalDate date(Draw draw) {
    return draw.pick(dates);
  }

  int nights(Draw draw) {
    return draw.pick(nights);
  }

  int litres(Draw draw) {
    return draw.pick(litres);
  }

  List<String> firstWords() {
    return firstWords;
  }

  List<String> secondWords() {
    return secondWords;
  }

  /// Every word of every name, for the check that nothing else was made of them.
  List<String> words() {
    var all = new ArrayList<String>();
    for (var pool : List.of(firstWords, secondWords, givenNames, surnames)) all.addAll(pool);
    return all;
  }
}
