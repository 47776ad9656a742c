package dev.espalier;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Holds the code to the table of `docs/ARCHITECTURE.md`.
@Execution(ExecutionMode.CONCURRENT)
class ArchitectureTest {
  private static final String ROOT = "dev.espalier";
  private static final Path SOURCES = Path.of("src/main/java/dev/espalier");
  private static final ArchitectureTable TABLE =
      ArchitectureTable.read(Path.of("docs/ARCHITECTURE.md"));
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(ROOT);

  @Test
  void sawClassesOfEveryPackageThatHasSources() throws IOException {
    var seen = CLASSES.stream().map(ArchitectureTest::packageOf).collect(Collectors.toSet());
    assertThat(packagesWithSources()).isNotEmpty().isEqualTo(new TreeSet<>(seen));
  }

  @Test
  void everyPackageHasARow() throws IOException {
    assertThat(TABLE.mayUse().keySet())
        .as("rows of docs/ARCHITECTURE.md: give a new package its row first")
        .containsAll(packagesWithSources());
  }

  @Test
  void packagesAreOneLevelDeep() {
    assertThat(CLASSES.stream().map(JavaClass::getPackageName).distinct())
        .as("a package that outgrows itself is split into a neighbour, never nested")
        .allMatch(name -> name.matches("dev\\.espalier\\.\\w+"));
  }

  @Test
  void packagesUseOnlyWhatTheirRowAllows() {
    var offences = new TreeSet<String>();
    var seen = 0;
    for (var type : CLASSES) {
      for (var dependency : type.getDirectDependenciesFromSelf()) {
        if (!dependency.getTargetClass().getPackageName().startsWith(ROOT)) continue;
        seen++;
        var from = packageOf(dependency.getOriginClass());
        var to = packageOf(dependency.getTargetClass());
        if (!TABLE.allows(from, to)) offences.add(offence(from, to, dependency));
      }
    }
    assertThat(seen).as("dependencies within " + ROOT).isPositive();
    assertThat(offences).as("uses that docs/ARCHITECTURE.md does not allow").isEmpty();
  }

  @Test
  void packagesAreFreeOfCycles() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void everyPackageIsNullMarked() {
    var unmarked =
        CLASSES.stream()
            .map(JavaClass::getPackage)
            .filter(p -> !p.isAnnotatedWith(NullMarked.class))
            .map(JavaPackage::getName);
    assertThat(unmarked).as("packages without @NullMarked in package-info.java").isEmpty();
  }

  @Test
  void theTableSpeaksOfAllAndAllBut() {
    var table =
        ArchitectureTable.parse(
            """
            | `a` | first | – |
            | `b` | second | a |
            | `c` | third | all but d |
            | `d` | fourth | all |
            """);
    assertThat(table.allows("a", "b")).isFalse();
    assertThat(table.allows("b", "a")).isTrue();
    assertThat(table.allows("b", "b")).isTrue();
    assertThat(table.allows("c", "b")).isTrue();
    assertThat(table.allows("c", "d")).isFalse();
    assertThat(table.allows("d", "c")).isTrue();
    assertThat(table.allows("e", "a")).isFalse();
  }

  @Test
  void aRowThatNamesAnUnknownPackageIsRefused() {
    assertThatThrownBy(() -> ArchitectureTable.parse("| `a` | first | ghost |"))
        .hasMessage("the row of `a` names \"ghost\", which has no row");
  }

  private static Set<String> packagesWithSources() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .map(file -> SOURCES.relativize(file).getName(0).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /// The part of the name below the root, `chat` for `dev.espalier.chat`.
  private static String packageOf(JavaClass type) {
    var parts = type.getPackageName().split("\\.", -1);
    return parts.length > 2 ? parts[2] : "(root)";
  }

  private static String offence(String from, String to, Dependency dependency) {
    return "%s may not use %s, only %s: %s"
        .formatted(from, to, TABLE.mayUse().get(from), dependency.getDescription());
  }
}
